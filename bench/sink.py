"""Takes one answer and lets the kernel drop its body unread, so that a download is measured and not its client.

Usage: sink.py URL. Prints how many bytes came, and in how many seconds.
"""

import re
import socket
import sys
import time
from urllib.parse import urlsplit

AT_ONCE = 4 * 1024 * 1024


def head_of(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            sys.exit("sink: the connection ended before an answer")
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit("sink: " + head.decode("latin1"))
    return int(re.search(rb"(?i)\ncontent-length: *(\d+)", head).group(1)), len(body)


def main():
    url = urlsplit(sys.argv[1])
    with socket.create_connection((url.hostname, url.port)) as connection:
        began = time.monotonic()
        connection.sendall(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        size, taken = head_of(connection)
        buffer = bytearray(AT_ONCE)
        while taken < size:
            # Of a TCP connection, MSG_TRUNC drops the bytes without copying them.
            count = connection.recv_into(buffer, AT_ONCE, socket.MSG_TRUNC)
            if count == 0:
                sys.exit("sink: the connection ended too early")
            taken += count
    print(taken, time.monotonic() - began)


main()
