"""What a processor is called: its own name, with family and model where a virtual machine hides the number."""

import pytest

from legr.machine import name_in


def cpuinfo(name: str) -> str:
    core = f"processor\t: 0\nvendor_id\t: x\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: {name}\nstepping\t: 1\n"
    return f"{core}\n{core.replace('26', '25')}\n"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("AMD EPYC", "AMD EPYC 26.2"),
        ("Intel(R) Xeon(R) Processor @ 2.80GHz", "Intel(R) Xeon(R) Processor @ 2.80GHz 26.2"),
        ("AMD EPYC 9R14", "AMD EPYC 9R14"),
        ("Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", "Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz"),
    ],
)
def test_generations_of_a_processor_have_names_of_their_own(said: str, name: str) -> None:
    assert name_in(cpuinfo(said)) == name


def test_what_linux_does_not_name_has_no_name() -> None:
    assert name_in("processor : 0\nBogoMIPS : 50.00\nCPU part : 0xd0c\n\nprocessor : 1\n") == ""
    assert name_in("model name\t: ARMv7\n") == "ARMv7" and name_in("model name\t: Board\n") == "Board"
