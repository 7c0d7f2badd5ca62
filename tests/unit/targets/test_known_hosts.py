"""What ``ssh`` believes."""

from penstock.targets.known_hosts import known_hosts


def test_a_port_is_part_of_the_name() -> None:
    keys = ["ssh-ed25519 AAAA", "ssh-rsa BBBB"]
    assert known_hosts("booth", 22, keys) == "booth ssh-ed25519 AAAA\nbooth ssh-rsa BBBB\n"
    assert known_hosts("booth", 2222, keys[:1]) == "[booth]:2222 ssh-ed25519 AAAA\n"
