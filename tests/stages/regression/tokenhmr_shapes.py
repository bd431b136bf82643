"""Names and shapes of the official TokenHMR files, written out from their description."""


def linear(name, width_out, width_in):
    return {f"{name}.weight": (width_out, width_in), f"{name}.bias": (width_out,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def classifier(tokens, width, token_mlp, channel_mlp, codes):
    name = "smpl_head.decpose"
    shapes = linear(f"{name}.mixer_trans.ff.0", tokens * width, 1024)
    shapes |= norm(f"{name}.mixer_trans.ff.1", tokens * width)
    for i in range(4):
        layer = f"{name}.mixer_head.{i}"
        shapes |= norm(f"{layer}.layernorm1", width)
        shapes |= linear(f"{layer}.MLP_token.ff.0", token_mlp, tokens)
        shapes |= linear(f"{layer}.MLP_token.ff.3", tokens, token_mlp)
        shapes |= norm(f"{layer}.layernorm2", width)
        shapes |= linear(f"{layer}.MLP_channel.ff.0", channel_mlp, width)
        shapes |= linear(f"{layer}.MLP_channel.ff.3", width, channel_mlp)
    shapes |= linear(f"{name}.mixer_norm_layer.ff.0", width, width)
    shapes |= norm(f"{name}.mixer_norm_layer.ff.1", width)
    return shapes | linear(f"{name}.class_pred_layer", codes, width)


def backbone(block_count):
    shapes = {
        "backbone.pos_embed": (1, 193, 1280),
        "backbone.patch_embed.proj.weight": (1280, 3, 16, 16),
        "backbone.patch_embed.proj.bias": (1280,),
    }
    for i in range(block_count):
        block = f"backbone.blocks.{i}"
        shapes |= norm(f"{block}.norm1", 1280) | norm(f"{block}.norm2", 1280)
        shapes |= linear(f"{block}.attn.qkv", 3840, 1280)
        shapes |= linear(f"{block}.attn.proj", 1280, 1280)
        shapes |= linear(f"{block}.mlp.fc1", 5120, 1280)
        shapes |= linear(f"{block}.mlp.fc2", 1280, 5120)
    return shapes | norm("backbone.last_norm", 1280)


def head(classifier):
    name = "smpl_head.transformer"
    shapes = {
        "smpl_head.init_body_pose": (1, 144),
        "smpl_head.init_betas": (1, 10),
        "smpl_head.init_cam": (1, 3),
        f"{name}.pos_embedding": (1, 1, 1024),
        **linear(f"{name}.to_token_embedding", 1024, 1),
    }
    for i in range(6):
        layer = f"{name}.transformer.layers.{i}"
        for part in range(3):
            shapes |= norm(f"{layer}.{part}.norm", 1024)
        shapes[f"{layer}.0.fn.to_qkv.weight"] = (1536, 1024)
        shapes[f"{layer}.1.fn.to_kv.weight"] = (1024, 1280)
        shapes[f"{layer}.1.fn.to_q.weight"] = (512, 1024)
        for part in range(2):
            shapes |= linear(f"{layer}.{part}.fn.to_out.0", 1024, 512)
        for place in (0, 3):
            shapes |= linear(f"{layer}.2.fn.net.{place}", 1024, 1024)
    for read_out, size in (
        ("decpose_grot", 6),
        ("decpose_hands", 12),
        ("decshape", 10),
        ("deccam", 3),
    ):
        shapes |= linear(f"smpl_head.{read_out}", size, 1024)
    return shapes | classifier


def tokenizer(codes, code_width, width):
    def convolution(name, out, into, taps):
        return {f"{name}.weight": (out, into, taps), f"{name}.bias": (out,)}

    shapes = {"quantizer.codebook": (codes, code_width)}
    shapes |= convolution("decoder.decoder.0", width, code_width, 3)
    for place in (3, 6, 9, 12):
        shapes |= convolution(f"decoder.decoder.{place}", width, width, 3)
    for block in range(2):
        shapes |= convolution(f"decoder.decoder.14.0.model.{block}.conv1", width, width, 3)
        shapes |= convolution(f"decoder.decoder.14.0.model.{block}.conv2", width, width, 1)
    shapes |= convolution("decoder.decoder.14.1", width, width, 3)
    return shapes | convolution("decoder.decoder.15", 6, width, 3)


OFFICIAL = backbone(32) | head(classifier(160, 64, 64, 256, 2048))
OFFICIAL_TOKENIZER = tokenizer(2048, 256, 512)
