"""A virtual machine under qemu, emulated in software: it needs no hardware support and touches nothing of the host."""

import collections.abc
import contextlib
import json
import pathlib
import re
import socket
import subprocess
import threading
import time

from image import Image

# How long a boot, an installation or a shutdown may take. Emulation is slow, and machines that test are busy.
PATIENCE_SECONDS = 400.0

# What the firmware of the machine says of it.
UUID = "3f1c8a52-6a0e-4c0b-9d57-0d7f5d1f6a11"
SERIAL_NUMBER = "GH-0001"

# The host, as the guest reaches it: its loopback is at this address.
HOST = "10.0.2.2"


class Machine:
    """A copy of the image, booted as often as one likes. A restart of the guest is not a new boot."""

    def __init__(self, folder: pathlib.Path, image: Image):
        folder.mkdir(parents=True)
        self.disk = folder / "disk.img"
        self._image = image
        subprocess.run(["cp", "--sparse=always", str(image.disk), str(self.disk)], check=True)
        self._log: list[str] = []
        self._events: list[str] = []
        self._news = threading.Condition()
        self._qemu: subprocess.Popen | None = None
        self._replies: list[dict] = []

    def boot(self, second_disk: pathlib.Path | None = None) -> None:
        """Switches the machine on."""
        assert self._qemu is None, "the machine is on"
        ours, theirs = socket.socketpair()
        disks = [self.disk] + ([second_disk] if second_disk else [])
        with theirs:
            self._qemu = subprocess.Popen(
                # Whatever becomes of the tests, the machine does not outlive them.
                ["setpriv", "--pdeathsig", "KILL", "--", *self._command(disks, theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
        self._control = ours
        self._readers = [
            threading.Thread(target=self._read_console, args=[self._qemu.stdout], daemon=True),
            threading.Thread(target=self._read_control, args=[ours.makefile()], daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._ask("qmp_capabilities")

    def _command(self, disks: list[pathlib.Path], control: int) -> list[str]:
        command = [
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
            # After a restart of the guest qemu drops what it had translated before piece by piece, as the memory is used
            # anew. Of a small store (in MiB) that is little: the guest boots in a third of the time.
            *("-machine", "q35", "-accel", "tcg,thread=multi,tb-size=64"),
            *("-cpu", "max", "-smp", "2", "-m", "1024"),
            *("-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd)),
            # The network interface keeps its name: udev would change it while networkd configures it.
            *("-append", f"root={self._image.root} rw console=ttyS0 quiet panic=-1 net.ifnames=0 systemd.show_status=no"),
            *("-smbios", f"type=1,manufacturer=Guardhouse,product=Test,serial={SERIAL_NUMBER},uuid={UUID}"),
            *("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="),
            *("-device", "virtio-rng-pci", "-serial", "stdio"),
            *("-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control"),
        ]
        for number, disk in enumerate(disks):
            # Without regard for the power supply of the host, which no test survives.
            drive = f"if=none,id=disk{number},format=raw,cache=unsafe,file={disk}"
            command += ["-drive", drive, "-device", f"virtio-blk-pci,drive=disk{number}"]
        return command

    def _read_console(self, output) -> None:
        for line in output:
            self._tell(self._log, line.decode(errors="replace").rstrip())

    def _read_control(self, control) -> None:
        for line in control:
            message = json.loads(line)
            if "event" in message:
                self._tell(self._events, message["event"])
            elif "QMP" not in message:
                self._tell(self._replies, message)

    def _tell(self, those: list, one) -> None:
        with self._news:
            those.append(one)
            self._news.notify_all()

    def _ask(self, command: str) -> None:
        """Gives qemu an order."""
        before = len(self._replies)
        self._control.sendall(json.dumps({"execute": command}).encode() + b"\n")
        self._wait(lambda: len(self._replies) > before, f"qemu does not answer {command}")
        assert "return" in self._replies[-1], self._replies[-1]

    def _wait(self, condition: collections.abc.Callable[[], object], complaint: str):
        """Waits until something that the console or qemu said makes the condition true; answers what it answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while not (result := condition()):
                left = deadline - time.monotonic()
                # Not whether qemu lives: its last words may still be on their way.
                heard_all = not any(reader.is_alive() for reader in self._readers)
                assert left > 0 and not heard_all, f"{complaint}\n{self.console()}"
                self._news.wait(min(left, 1.0))
            return result

    def wait_for_line(self, pattern: str) -> re.Match:
        """The first line on the console since the first boot in which the pattern is found."""
        found = lambda: next(filter(None, (re.search(pattern, line) for line in self._log)), None)  # noqa: E731
        return self._wait(found, f"the console did not say {pattern!r}")

    def wait_until_installed(self) -> None:
        """Waits until everything is installed that the second disk brought along."""
        ended = self.wait_for_line("^first boot: (.*)")[1]
        assert ended == "success", self.console()

    def restarts(self) -> int:
        """How often the guest restarted since the first boot."""
        return self._events.count("RESET")

    def wait_for_restart(self, before: int) -> None:
        """Waits until the guest restarted more often than `before`."""
        self._wait(lambda: self.restarts() > before, "the machine did not restart")

    def wait_until_off(self) -> None:
        """Waits until the guest has switched its machine off; the disk may be read then."""
        try:
            self._qemu.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the machine did not power off\n{self.console()}") from None
        self._clean_up()
        assert "SHUTDOWN" in self._events, f"qemu ended, but not by the guest\n{self.console()}"

    @contextlib.contextmanager
    def paused(self):
        """The machine stands still, and its disk is at rest."""
        self._ask("stop")
        try:
            yield
        finally:
            self._ask("cont")

    def reset(self) -> None:
        """The reset button: the guest loses what it has not written to its disk."""
        self._ask("system_reset")

    def files(self, folder: pathlib.Path) -> pathlib.Path:
        """Copies all files of its root file system into a new folder. The machine is off."""
        assert self._qemu is None, "the machine is on"
        folder.mkdir()
        self._image.extract(self.disk, folder)
        return folder

    def cut_power(self) -> None:
        """Ends the machine as it is, if it is on."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._clean_up()

    def _clean_up(self) -> None:
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        self._control.close()
        self._qemu.stdout.close()
        self._qemu = None

    def console(self) -> str:
        """The last of what the machine said on its console: kernel, systemd, journal."""
        return "\n".join(self._log[-200:])
