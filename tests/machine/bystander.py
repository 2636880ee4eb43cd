"""A service on loopback that has nothing to do with the server: what an isolated machine must not reach."""

import socket
import threading
import time

from machine import PATIENCE_SECONDS


class Bystander:
    """Listens on a TCP and a UDP port of the same number, and counts what arrives."""

    def __init__(self):
        self._tcp, self._udp = bound_to_one_port()
        self._tcp.listen()
        self.port = self._tcp.getsockname()[1]
        self._lock = threading.Lock()
        self._lines = self._datagrams = 0
        threading.Thread(target=self._accept, daemon=True).start()
        threading.Thread(target=self._receive, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=[connection], daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        try:
            for _line in connection.makefile("rb"):
                with self._lock:
                    self._lines += 1
        except ConnectionError:
            pass  # a firewall may well reset it

    def _receive(self) -> None:
        while True:
            try:
                self._udp.recv(2048)
            except OSError:
                return
            with self._lock:
                self._datagrams += 1

    def heard(self) -> tuple[int, int]:
        """How many lines over TCP and how many datagrams have arrived."""
        with self._lock:
            return self._lines, self._datagrams

    def wait_for_line(self) -> None:
        """Waits for a further line."""
        before, _ = self.heard()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.heard()[0] <= before:
            assert time.monotonic() < deadline, "nothing arrives from the machine"
            time.sleep(0.05)

    def stop(self) -> None:
        # A thread that waits in `accept` or `recv` is woken by this, but not by closing alone.
        for listening in (self._tcp, self._udp):
            try:
                listening.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # a datagram socket is not connected; it wakes up nevertheless
            listening.close()


def bound_to_one_port() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on the same free port."""
    while True:
        tcp, udp = socket.socket(socket.AF_INET, socket.SOCK_STREAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", 0))
        try:
            udp.bind(tcp.getsockname())
            return tcp, udp
        except OSError:
            tcp.close()
            udp.close()
