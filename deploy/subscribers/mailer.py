"""Writes one mail for each time that somebody gets the tag churn_risk: mailer.py DATABASE --brokers kafka-1:9092.

A change may come twice, if this program dies between the mail and the commit of its offset. Its id is the same then, so the
mail and the id are stored in one transaction of the database; another program sends what is in the table mails.
"""

import sqlite3

from tag_topics import arguments, change_of, records

TAG = "churn_risk"


def main():
    options = arguments(__doc__, "mailer", "tag-changes")
    database = sqlite3.connect(options.database)
    # Ids that are older than the retention of the topic may be deleted.
    database.execute("CREATE TABLE IF NOT EXISTS mails (id TEXT PRIMARY KEY, person TEXT NOT NULL, at TEXT NOT NULL)")
    for message in records(options):
        change = change_of(message)
        if change["tag"] == TAG and change["change"] == "added":
            with database:
                database.execute(
                    "INSERT INTO mails VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (change["id"], change["key"], change["at"])
                )


main()
