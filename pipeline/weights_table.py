"""Every file of weights the project can use: where it comes from, what it is, what it allows."""

from pipeline.weights_kinds import (
    AsPublished,
    ByHand,
    Checkpoint,
    NpmPackage,
    WeightsFile,
    Wheel,
)

MEDIAPIPE = Wheel(
    requirement="mediapipe==0.10.14",
    file_name="mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
    size_bytes=35_664_771,
    pip_platform=(
        "--platform=manylinux_2_17_x86_64",
        "--python-version=3.11",
        "--implementation=cp",
        "--abi=cp311",
    ),
)

MEDIAPIPE_POSE = NpmPackage(
    name="@mediapipe/pose",
    version="0.5.1675469404",
    file_name="mediapipe-pose-0.5.1675469404.tgz",
    sha256="8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84",
    size_bytes=40_985_403,
)

REGRESSOR_LICENCE = "none stated; made for SMPL and from research data, so research only"

TABLE = (
    WeightsFile(
        name="blazepose-detector",
        file_name="pose_detection.tflite",
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        size_bytes=2_959_046,
        licence="Apache-2.0",
        needed_by="detection: blazepose, given",
        source=MEDIAPIPE,
        member="mediapipe/modules/pose_detection/pose_detection.tflite",
    ),
    WeightsFile(
        name="blazepose-landmarks",
        file_name="pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        size_bytes=6_440_512,
        licence="Apache-2.0",
        needed_by="detection: blazepose, given",
        source=MEDIAPIPE,
        member="mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    ),
    WeightsFile(
        name="blazepose-landmarks-heavy",
        file_name="pose_landmark_heavy.tflite",
        sha256="59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        size_bytes=27_709_200,
        licence="Apache-2.0",
        needed_by="detection: blazepose",
        source=MEDIAPIPE_POSE,
        member="package/pose_landmark_heavy.tflite",
        optional=True,
        without="landmarks are less exact",
    ),
    WeightsFile(
        name="hmr2",
        file_name="hmr2.safetensors",
        sha256=None,
        size_bytes=2_681_897_000,
        licence="research only (code MIT; trained with SMPL and on research data)",
        needed_by="regression: hmr2",
        source=Checkpoint(
            page="https://github.com/shubham-goel/4D-Humans (hmr2_data.tar.gz) or "
            "https://huggingface.co/spaces/brjathu/HMR2.0",
            original="epoch=35-step=1000000.ckpt, which 4D-Humans keeps in "
            "~/.cache/4DHumans/logs/train/multiruns/hmr2/0/checkpoints/",
            stage="regression",
            backend="hmr2",
            usual_path=".cache/4DHumans/logs/train/multiruns/hmr2/0/checkpoints/"
            "epoch=35-step=1000000.ckpt",
        ),
    ),
    WeightsFile(
        name="tokenhmr",
        file_name="tokenhmr.safetensors",
        sha256=None,
        size_bytes=2_724_800_496,
        licence="non-commercial research only (MPI); may not be passed on",
        needed_by="regression: tokenhmr",
        source=Checkpoint(
            page="https://tokenhmr.is.tue.mpg.de (register; tokenhmr_model_latest.zip)",
            original="the .ckpt in tokenhmr_model_latest.zip",
            stage="regression",
            backend="tokenhmr",
        ),
    ),
    WeightsFile(
        name="tokenhmr-tokenizer",
        file_name="tokenhmr_tokenizer.safetensors",
        sha256=None,
        size_bytes=27_844_632,
        licence="non-commercial research only (MPI); may not be passed on",
        needed_by="regression: tokenhmr",
        source=Checkpoint(
            page="https://tokenhmr.is.tue.mpg.de (register; data.zip)",
            original="checkpoints/tokenizer.pth in data.zip",
            stage="regression",
            backend="tokenhmr",
            layout="tokenizer_layout",
        ),
    ),
    WeightsFile(
        name="spin",
        file_name="spin.safetensors",
        sha256=None,
        size_bytes=108_150_632,
        licence="research only (code BSD-3-Clause; trained with SMPL and on research data)",
        needed_by="regression: spin",
        source=Checkpoint(
            page="https://github.com/nkolot/SPIN",
            original="model_checkpoint.pt, which its fetch_data.sh puts into data/; VIBE's "
            "spin_model_checkpoint.pth.tar holds the same",
            stage="regression",
            backend="spin",
        ),
    ),
    WeightsFile(
        name="hmr",
        file_name="hmr.safetensors",
        sha256=None,
        size_bytes=107_585_128,
        licence="research only (code MIT; trained with SMPL and on research data)",
        needed_by="regression: hmr",
        source=Checkpoint(
            page="https://github.com/akanazawa/hmr (models.tar.gz)",
            original="models/model.ckpt-667589.index with model.ckpt-667589.data-00000-of-00001 "
            "beside it",
            stage="regression",
            backend="hmr",
        ),
    ),
    WeightsFile(
        name="posebert",
        file_name="posebert.safetensors",
        sha256=None,
        size_bytes=34_227_000,
        licence="CC BY-NC-SA 4.0 (Naver); trained on AMASS, for research only",
        needed_by="smoothing: posebert",
        source=Checkpoint(
            page="https://github.com/naver/posebert "
            "(http://download.europe.naverlabs.com/leveraging_mocap_models/models.tar.gz)",
            original="models/posebert_smpl.pt in models.tar.gz",
            stage="smoothing",
            backend="posebert",
        ),
        optional=True,
    ),
    WeightsFile(
        name="nlf",
        file_name="nlf.torchscript",
        sha256=None,
        size_bytes=493_000_000,
        licence="non-commercial research only; holds YOLOv8 (AGPL-3.0) and SMPL (MPI)",
        needed_by="regression: nlf",
        source=AsPublished(
            page="https://github.com/isarandi/nlf/releases (v0.3.2; older ones work too)",
            original="nlf_l_multi_0.3.2.torchscript, or another *_multi*.torchscript of its "
            "releases",
            stage="regression",
            backend="nlf",
            trust_setting="regression.nlf.trust",
        ),
    ),
    WeightsFile(
        name="j-regressor-extra",
        file_name="J_regressor_extra.npy",
        sha256=None,
        size_bytes=496_160,
        licence=REGRESSOR_LICENCE,
        needed_by="joint sets: the 9 joints of SPIN that are not SMPL's",
        source=ByHand("http://visiondata.cis.upenn.edu/spin/data.tar.gz (J_regressor_extra.npy)"),
    ),
    WeightsFile(
        name="j-regressor-h36m",
        file_name="J_regressor_h36m.npy",
        sha256=None,
        size_bytes=937_120,
        licence=REGRESSOR_LICENCE,
        needed_by="joint sets: Human3.6M's 17 joints",
        source=ByHand("http://visiondata.cis.upenn.edu/spin/data.tar.gz (J_regressor_h36m.npy)"),
    ),
    WeightsFile(
        name="smpl-to-j19",
        file_name="SMPL_to_J19.pkl",
        sha256=None,
        size_bytes=1_047_280,
        licence=REGRESSOR_LICENCE,
        needed_by="joint sets: the 19 extra joints of HMR2.0",
        source=ByHand(
            "https://people.eecs.berkeley.edu/~jathushan/projects/4dhumans/hmr2_data.tar.gz "
            "(data/SMPL_to_J19.pkl, which 4D-Humans keeps in ~/.cache/4DHumans/data/)"
        ),
    ),
    WeightsFile(
        name="phalp-pose",
        file_name="phalp_pose.safetensors",
        sha256=None,
        size_bytes=150_000_000,
        licence="none stated for the weights (code MIT); trained with SMPL and on research data",
        needed_by="tracking: phalp, its published costs",
        source=Checkpoint(
            page="https://github.com/brjathu/PHALP",
            original="pose_predictor.pth (pose_predictor_40006.ckpt), which PHALP keeps in "
            "~/.cache/phalp/weights/",
            stage="tracking",
            backend="phalp",
            usual_path=".cache/phalp/weights/pose_predictor.pth",
        ),
        optional=True,
    ),
    WeightsFile(
        name="phalp-pose-statistics",
        file_name="phalp_mean_std.npy",
        sha256=None,
        size_bytes=1_936,
        licence="none stated for the weights (code MIT)",
        needed_by="tracking: phalp, with phalp-pose",
        source=ByHand(
            "https://github.com/brjathu/PHALP (3D/mean_std.npy, which PHALP keeps in "
            "~/.cache/phalp/3D/)"
        ),
        optional=True,
    ),
    WeightsFile(
        name="phalp-appearance",
        file_name="phalp_appearance.safetensors",
        sha256=None,
        size_bytes=4_025_000,
        licence="none stated for the weights (code MIT); trained with SMPL and on research data",
        needed_by="tracking: phalp, the look of people (appearance.source=encoder)",
        source=Checkpoint(
            page="https://github.com/brjathu/PHALP",
            original="hmar_v2_weights.pth, which PHALP keeps in ~/.cache/phalp/weights/",
            stage="tracking",
            backend="phalp",
            layout="encoder_layout",
            usual_path=".cache/phalp/weights/hmar_v2_weights.pth",
        ),
        optional=True,
    ),
    WeightsFile(
        name="phalp-bmap",
        file_name="phalp_bmap_256.npy",
        sha256=None,
        size_bytes=786_560,
        licence="none stated (code MIT)",
        needed_by="tracking: phalp, with phalp-appearance",
        source=ByHand(
            "https://github.com/brjathu/PHALP (bmap_256.npy, which PHALP keeps in "
            "~/.cache/phalp/3D/)"
        ),
        optional=True,
    ),
    WeightsFile(
        name="phalp-fmap",
        file_name="phalp_fmap_256.npy",
        sha256=None,
        size_bytes=524_416,
        licence="none stated (code MIT)",
        needed_by="tracking: phalp, with phalp-appearance",
        source=ByHand(
            "https://github.com/brjathu/PHALP (fmap_256.npy, which PHALP keeps in "
            "~/.cache/phalp/3D/)"
        ),
        optional=True,
    ),
)
