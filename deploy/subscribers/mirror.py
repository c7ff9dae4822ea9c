"""Mirrors the current tags of everybody into a table: mirror.py DATABASE --brokers kafka-1:9092.

The last record of an entity is all that it has now, so a repeat changes nothing and needs no id. A record without a value
says that the entity was erased or forgotten.
"""

import json
import sqlite3

from tag_topics import arguments, records


def main():
    options = arguments(__doc__, "mirror", "tags")
    database = sqlite3.connect(options.database)
    database.execute(
        "CREATE TABLE IF NOT EXISTS tags (entity TEXT, key TEXT, tag TEXT, value TEXT, since TEXT, PRIMARY KEY (entity, key, tag))"
    )
    for message in records(options):
        entity, key = message.key().decode().split(":", 1)
        tags = json.loads(message.value())["tags"] if message.value() is not None else {}
        with database:
            database.execute("DELETE FROM tags WHERE entity = ? AND key = ?", (entity, key))
            rows = [(entity, key, tag, json.dumps(now["value"]), now["since"]) for tag, now in tags.items()]
            database.executemany("INSERT INTO tags VALUES (?, ?, ?, ?, ?)", rows)


main()
