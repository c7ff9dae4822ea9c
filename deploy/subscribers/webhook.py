"""Takes what `tagstream push` posts, and keeps each change once: webhook.py DATABASE --secret FILE --port 9000.

Needs nothing but Python. The signature is that of Standard Webhooks. A change that comes again has the same id, and is in the
table already.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sqlite3
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# An older request may be one that somebody has recorded and sends again.
SECONDS_MAX = 300


def is_genuine(headers, body, secret, now):
    try:
        is_fresh = abs(now - int(headers["webhook-timestamp"])) <= SECONDS_MAX
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        given = headers["webhook-signature"].split()
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return is_fresh and any(hmac.compare_digest(wanted, signature) for signature in given)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        # The first secret of the file: the newest.
        secret = Path(self.server.options.secret).read_text().split()[0]
        if not is_genuine(self.headers, body, secret, time.time()):
            return self.answer(401, "the signature is wrong, or too old")
        try:
            changes = json.loads(body)["data"]["changes"]
            rows = [[change[name] for name in ("id", "entity", "key", "tag", "at", "seq")] for change in changes]
            values = [json.dumps(change["value"]) for change in changes]
        except (ValueError, KeyError, TypeError) as error:
            return self.answer(400, f"not tag changes: {error!r}")
        with sqlite3.connect(self.server.options.database, timeout=30) as database:
            rows = [[*row, value] for row, value in zip(rows, values)]
            database.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        self.answer(200, "")

    def answer(self, status, words):
        self.send_response(status)
        self.send_header("content-length", str(len(words.encode())))
        self.end_headers()
        self.wfile.write(words.encode())

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="the file of the SQLite database")
    parser.add_argument("--secret", required=True, help="the file of push.secret")
    parser.add_argument("--host", default="127.0.0.1", help="the address of this machine at which it listens")
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    with sqlite3.connect(options.database) as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS changes (id TEXT PRIMARY KEY, entity TEXT, key TEXT, tag TEXT, at TEXT, seq INTEGER, value TEXT)"
        )
    server = ThreadingHTTPServer((options.host, options.port), Receiver)
    server.options = options
    server.serve_forever()


main()
