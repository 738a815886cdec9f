"""Made-up lines of logs."""

import random
import uuid

LOG_LINES = [
    "{t} INFO  [http-nio-8080-exec-{w}] c.e.shop.OrderController - GET /api/v1/orders/{n} 200 {ms}ms",
    "{t} WARN  [pool-2-thread-{w}] o.a.k.clients.NetworkClient - [Consumer clientId=c-{w}, groupId=orders] Connection to node {w} could not be established.",
    '10.0.{w}.{b} - - [24/Nov/2026:10:{mm}:{ss} +0000] "POST /v1/items?page={w} HTTP/1.1" 201 {n} "-" "Mozilla/5.0 (X11; Linux x86_64)"',
    "Nov 24 10:{mm}:{ss} web-{w} sshd[{n}]: Accepted publickey for deploy from 192.168.{w}.{b} port {p} ssh2: RSA SHA256:{h}",
    "{t} DEBUG request_id={u} trace={h} user_agent=curl/8.5.0 bytes={n} cache=miss duration_ms={ms}",
    "{t} ERROR java.lang.IllegalStateException: stream closed at org.example.io.Reader.read(Reader.java:{ms})",
]


def logs(lines):
    """Made-up lines of six kinds of logs, the same each time."""
    rand = random.Random(1)
    number = rand.randint
    for _ in range(lines):
        minute, second = f"{number(0, 59):02}", f"{number(0, 59):02}"
        yield rand.choice(LOG_LINES).format(
            t=f"2026-11-24T10:{minute}:{second}.{number(0, 999):03}Z",
            w=number(1, 16), n=number(1000, 999999), ms=number(1, 900), b=number(1, 254),
            mm=minute, ss=second, p=number(1024, 65000), h="%040x" % rand.getrandbits(160),
            u=uuid.UUID(int=rand.getrandbits(128)),
        ) + "\n"
