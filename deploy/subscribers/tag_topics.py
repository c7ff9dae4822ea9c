"""Reads a topic that tagstream writes: each record once the service has committed it."""

import argparse
import json

from confluent_kafka import Consumer, KafkaError, KafkaException


def arguments(description, group, topic):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("database", help="the file of the SQLite database")
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--group", default=group)
    parser.add_argument("--topic", default=topic)
    parser.add_argument("--once", action="store_true", help="end when everything that is there was read")
    return parser.parse_args()


def change_of(message):
    """The tag change in a record, whichever output.format it has."""
    value = json.loads(message.value())
    if "specversion" in value:
        return value["data"]
    return value["context"]["tagstream"] if "context" in value else value


def records(options):
    """Yields records for ever, or until the end of all partitions. The offset is committed when the next one is asked for: a
    record that was being handled when the process died comes again."""
    consumer = Consumer({
        "bootstrap.servers": options.brokers,
        "group.id": options.group,
        # Changes of aborted transactions are not changes.
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.partition.eof": options.once,
    })
    consumer.subscribe([options.topic])
    at_end = set()
    try:
        while not (options.once and at_end and at_end >= {part.partition for part in consumer.assignment()}):
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(message.error())
                at_end.add(message.partition())
                continue
            at_end.discard(message.partition())
            yield message
            consumer.commit(message, asynchronous=False)
    finally:
        consumer.close()
