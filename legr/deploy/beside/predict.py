"""The classes of a picture: `python predict.py PICTURE`. Needs onnxruntime, numpy and Pillow."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

here = Path(__file__).parent
about = json.loads((here / "input.json").read_text("utf-8"))
labels = (here / "labels.txt").read_text("utf-8").split("\n")
width, height, count = about["width"], about["height"], about["shape"][0]

image = ImageOps.exif_transpose(Image.open(sys.argv[1]))  # upright
if image.mode.startswith(("I", "F")):  # more than 8 bits a colour
    image = Image.fromarray((np.asarray(image) // 256).clip(0, 255).astype("uint8"))
image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
wide, high = (
    max(width, round(image.width * height / image.height)),
    max(height, round(image.height * width / image.width)),
)
left, top = (wide - width) // 2, (high - height) // 2
image = image.resize((wide, high), Image.Resampling.BILINEAR).crop((left, top, left + width, top + height))

pixels = np.asarray(image.convert("L" if about["colors"] == "grey" else "RGB")).reshape(1, height, width, -1)
if about["mean"]:  # else the network normalizes by itself
    pixels = (pixels * about["scale"] - about["mean"]) / about["std"]
if about["layout"] == "NCHW":
    pixels = pixels.transpose(0, 3, 1, 2)
pixels = pixels.astype(about["dtype"]).repeat(1 if count == "batch" else count, axis=0)

session = onnxruntime.InferenceSession(str(here / "network.onnx"), providers=["CPUExecutionProvider"])
logits = session.run([about["output"]], {about["input"]: pixels})[0][0]
odds = np.exp(logits - logits.max())
for number in np.argsort(-odds)[:5]:
    print(f"{odds[number] / odds.sum():.6f} {labels[number]}")
