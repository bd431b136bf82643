"""YOLO networks made on the spot: random, with a head of known answers, or trained on figures."""

import cv2
import numpy as np
import torch
from ultralytics.cfg import get_cfg
from ultralytics.nn import tasks

TINY = {
    "nc": 1,
    "backbone": [[-1, 1, "Conv", [width, 3, 2]] for width in (8, 16, 24, 32)],
    "head": [[[3], 1, "Detect", ["nc"]]],
}
"""Four convolutions and a head of one level with the stride 16."""
CLASSES = {"yolo11n.yaml": tasks.DetectionModel, "yolo11n-pose.yaml": tasks.PoseModel}
TRAINED_PX = 96


def save_model(path, model, names=("person",), image_px=128):
    """Write a network as ultralytics does; names beyond those given are numbers."""
    count = len(getattr(model, "names", names))
    model.names = {i: names[i] if i < len(names) else f"thing {i}" for i in range(count)}
    model.criterion = None
    torch.save({"model": model, "train_args": {"imgsz": image_px}}, path)
    return path


def random_model(name, model_class, **changes):
    """A network of that YAML with random weights, the same every time."""
    torch.manual_seed(0)
    model = model_class(name, verbose=False)
    for key, value in changes.items():
        setattr(model, key, value)
    return model


def answer_everywhere(model, bins, score_logit=2.0, keypoint_bias=None):
    """Make the head say the same at every place, whatever the picture.

    Args:
        model: A network; class 0 gets `score_logit`, the others -9.
        bins: Distances to left, top, right, bottom in strides, one entry of the distribution each.
        score_logit: Of class 0.
        keypoint_bias: What the keypoint layers say, if there are any.
    """
    head = model.model[-1]
    for box, kind in zip(head.cv2, head.cv3, strict=True):
        for layer in (box[-1], kind[-1]):
            torch.nn.init.zeros_(layer.weight)
        box[-1].bias.data[:] = 0
        for side, distance in enumerate(bins):
            box[-1].bias.data[side * head.reg_max + distance] = 60.0
        kind[-1].bias.data[:] = -9.0
        kind[-1].bias.data[0] = score_logit
    for points in getattr(head, "cv4", []) if keypoint_bias is not None else []:
        torch.nn.init.zeros_(points[-1].weight)
        points[-1].bias.data[:] = torch.tensor(keypoint_bias, dtype=torch.float32)
    return model


def draw_figure(rgb, rng, centre_px, height_px):
    """Draw a red body with a head; gives its box as left, top, right, bottom."""
    (x, y), width = centre_px, 0.4 * height_px
    red = (int(rng.integers(180, 256)), *(int(v) for v in rng.integers(0, 90, 2)))
    body = (int(width / 2), int(0.4 * height_px))
    cv2.ellipse(rgb, (int(x), int(y + 0.1 * height_px)), body, 0, 0, 360, red, -1)
    head = (int(x), int(y - 0.38 * height_px))
    cv2.circle(rgb, head, int(0.12 * height_px), (230, 180, 140), -1)
    return (x - width / 2, y - height_px / 2, x + width / 2, y + height_px / 2)


def noise_rgb(rng, size_wh_px):
    return rng.integers(60, 140, (size_wh_px[1], size_wh_px[0], 3), dtype=np.uint8)


def trained_model(steps=220, batch=8):
    """A tiny network that has learnt to find figures in noise, with ultralytics' own loss."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network only waits for its threads
    rng, side = np.random.default_rng(0), TRAINED_PX
    model = tasks.DetectionModel(TINY, verbose=False).train()
    model.args = get_cfg()
    optimiser = torch.optim.AdamW(model.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    for _ in range(steps):
        images = [noise_rgb(rng, (side, side)) for _ in range(batch)]
        boxes = []
        for rgb in images:
            height = rng.uniform(30, 60)
            centre = rng.uniform(20, side - 20), rng.uniform(height / 2, side - height / 2)
            left, top, right, bottom = draw_figure(rgb, rng, centre, height)
            boxes.append((*centre, right - left, bottom - top))
        loss, _ = model.loss(
            {
                "img": torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255,
                "cls": torch.zeros(batch, 1),
                "bboxes": torch.tensor(boxes, dtype=torch.float32) / side,
                "batch_idx": torch.arange(batch).float(),
            }
        )
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        rate.step()
    torch.set_num_threads(threads)
    model.args = dict(model.args)
    return model.eval()
