"""MobileNetV2 (Sandler et al., 2018) for 32 x 32 images: three strides fewer than for ImageNet."""

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and first stride of every stage."""
STEM, LAST = 32, 1280


class InvertedResidual(nn.Module):
    """Expand, filter each channel on its own, project; beside it a shortcut where the image keeps its size.

    Args:
        in_planes, planes: channels of input and output; where they differ the shortcut is a 1 x 1 convolution.
        expansion: channels in between, as a multiple of `in_planes`.
        stride: 1 or 2.
    """

    def __init__(self, in_planes: int, planes: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = expansion * in_planes
        self.conv1, self.bn1 = nn.Conv2d(in_planes, hidden, 1, bias=False), nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv3, self.bn3 = nn.Conv2d(hidden, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.shortcut: nn.Module | None = None
        if stride == 1:
            self.shortcut = nn.Identity()
            if in_planes != planes:
                self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, 1, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:  # [N, in_planes, H, W] -> [N, planes, H/stride, W/stride]
        out = F.relu6(self.bn1(self.conv1(x)))
        out = F.relu6(self.bn2(self.conv2(out)))
        projected: Tensor = self.bn3(self.conv3(out))
        return projected if self.shortcut is None else projected + self.shortcut(x)


class CifarMobileNetV2(nn.Module):
    """Seven stages of inverted residuals between a 3 x 3 stem and a 1 x 1 convolution to 1,280 channels.

    Args:
        num_classes: outputs, at least 1.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, STEM, 3, padding=1, bias=False), nn.BatchNorm2d(STEM)
        blocks, channels = [], STEM
        for expansion, planes, count, first in STAGES:
            for stride in (first, *[1] * (count - 1)):
                blocks.append(InvertedResidual(channels, planes, expansion, stride))
                channels = planes
        self.layers = nn.Sequential(*blocks)
        self.conv2, self.bn2 = nn.Conv2d(channels, LAST, 1, bias=False), nn.BatchNorm2d(LAST)
        self.linear = nn.Linear(LAST, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:  # [N, 3, H, W] -> [N, num_classes]; any H, W from 1
        x = F.relu6(self.bn1(self.conv1(x)))
        x = F.relu6(self.bn2(self.conv2(self.layers(x))))
        out: Tensor = self.linear(x.mean((2, 3)))
        return out
