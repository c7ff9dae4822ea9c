"""Writes events as Confluent's own serializers do, with their schemas in a registry.

    senders.py BROKERS REGISTRY TOPIC < EVENTS

Each line is an event: {"format": "avro-1", "partition": 0, "user": "u-1", "at": 1767225600000, "amount": "19.90"}. The
formats are avro-1 and avro-2, two versions of one record, json, and protobuf, whose file imports another one.
"""

import datetime
import decimal
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.confluent.type.decimal_utils import to_proto_decimal
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

Field = descriptor_pb2.FieldDescriptorProto
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}


def avro_record(properties, more):
    properties = {"type": "record", "name": "Properties", "fields": properties}
    fields = [{"name": "user_id", "type": "string"}, {"name": "type", "type": "string"}]
    fields += [{"name": "timestamp", "type": TIMESTAMP}, {"name": "properties", "type": properties}]
    return json.dumps({"type": "record", "name": "Bought", "namespace": "avro", "fields": more + fields})


# Read by the other version, a payload would be wrong or no value at all.
AVRO = {
    "avro-1": avro_record([{"name": "amount", "type": DECIMAL}], []),
    "avro-2": avro_record(
        [{"name": "currency", "type": ["null", "string"], "default": None}, {"name": "amount", "type": DECIMAL}],
        [{"name": "channel", "type": {"type": "enum", "name": "Channel", "symbols": ["WEB", "SHOP"]}, "default": "WEB"}],
    ),
}
JSON = {
    "$schema": "http://json-schema.org/draft-07/schema#", "title": "json.Bought", "type": "object",
    "properties": {"user_id": {"type": "string"}, "properties": {"type": "object"}},
}


def bought_message():
    """The class of `protobuf.Bought`, the second message of its file."""
    of = descriptor_pb2.FileDescriptorProto(name="shop/properties.proto", package="protobuf", syntax="proto3")
    of.dependency.append(decimal_pb2.DESCRIPTOR.name)
    properties = of.message_type.add(name="Properties")
    properties.field.add(name="amount", number=1, label=1, type=Field.TYPE_MESSAGE, type_name=".confluent.type.Decimal")
    bought_file = descriptor_pb2.FileDescriptorProto(name="shop/bought.proto", package="protobuf", syntax="proto3")
    bought_file.dependency.extend(["google/protobuf/timestamp.proto", of.name])
    bought_file.message_type.add(name="Unused").field.add(name="n", number=1, label=1, type=Field.TYPE_INT64)
    bought = bought_file.message_type.add(name="Bought")
    bought.field.add(name="user_id", number=1, label=1, type=Field.TYPE_STRING)
    bought.field.add(name="type", number=2, label=1, type=Field.TYPE_STRING)
    at = timestamp_pb2.Timestamp.DESCRIPTOR.full_name
    bought.field.add(name="timestamp", number=3, label=1, type=Field.TYPE_MESSAGE, type_name=f".{at}")
    bought.field.add(name="properties", number=4, label=1, type=Field.TYPE_MESSAGE, type_name=".protobuf.Properties")
    pool = descriptor_pool.Default()
    for file in (of, bought_file):
        pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("protobuf.Bought"))


class Senders:
    def __init__(self, registry, topic):
        self.message = bought_message()
        conf = {"subject.name.strategy": topic_record_subject_name_strategy}
        self.of = {name: AvroSerializer(registry, schema, conf=conf) for name, schema in AVRO.items()}
        self.of["json"] = JSONSerializer(json.dumps(JSON), registry, conf=conf)
        self.of["protobuf"] = ProtobufSerializer(self.message, registry, conf)
        self.context = SerializationContext(topic, MessageField.VALUE, [])

    def value(self, event):
        at = datetime.datetime.fromtimestamp(event["at"] / 1000, datetime.timezone.utc)
        amount = decimal.Decimal(event["amount"])
        made = {"user_id": event["user"], "type": "bought", "timestamp": at, "properties": {"amount": amount}}
        if event["format"] == "json":
            made["timestamp"], made["properties"] = event["at"], {"amount": float(amount)}
        if event["format"] == "avro-2":
            made["channel"], made["properties"]["currency"] = "SHOP", "EUR"
        if event["format"] == "protobuf":
            message = self.message(user_id=event["user"], type="bought")
            message.timestamp.FromMilliseconds(event["at"])
            message.properties.amount.CopyFrom(to_proto_decimal(amount))
            made = message
        return self.of[event["format"]](made, self.context)


def main():
    brokers, registry, topic = sys.argv[1:]
    senders = Senders(SchemaRegistryClient({"url": registry}), topic)
    producer = Producer({"bootstrap.servers": brokers})
    for line in sys.stdin:
        event = json.loads(line)
        producer.produce(topic, senders.value(event), event["user"], partition=event["partition"])
        producer.poll(0)
    if producer.flush(60):
        sys.exit("the brokers did not take everything")


if __name__ == "__main__":
    main()
