"""What a profile is called that nobody has named: after the device, and after what is unusual about its conditions."""

import pytest

from legr.errors import SettingsError
from legr.requests.profile import ProfileRequest
from legr.study.latency import Conditions

XEON = "Intel(R) Xeon(R) Processor @ 2.80GHz"


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        (Conditions("ONNX Runtime 1.31.1", "cpu", 1, 1, XEON), "Intel-Xeon-2.80GHz"),
        (Conditions("ONNX Runtime 1.31.1", "cpu", 2, 4, XEON), "Intel-Xeon-2.80GHz-2-threads-batch-4"),
        (Conditions("PyTorch 2.14.1", "cpu", 1, 1, XEON), "Intel-Xeon-2.80GHz-PyTorch"),
        (Conditions("PyTorch 2.14.1", "cuda", 1, 8, "NVIDIA H200"), "NVIDIA-H200-PyTorch-batch-8"),
        (Conditions("PyTorch 2.14.1", "cpu", 1, 1, "…"), "cpu-PyTorch"),
    ],
)
def test_the_usual_name_tells_devices_and_runtimes_apart(conditions: Conditions, name: str) -> None:
    assert ProfileRequest().file_name(conditions) == name
    assert ProfileRequest(name="robot").file_name(conditions) == "robot"


def test_a_name_that_no_file_may_have_is_refused() -> None:
    with pytest.raises(SettingsError, match="name must be ASCII letters"):
        ProfileRequest(name="../x").file_name(Conditions("PyTorch 2.14.1", "cpu", 1, 1))
