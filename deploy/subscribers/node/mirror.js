// Mirrors the current tags of everybody into a table: node mirror.js DATABASE --brokers kafka-1:9092. It runs until it is
// stopped.
//
// The last record of an entity is all that it has now, so a repeat changes nothing and needs no id. A record without a value
// says that the entity was erased or forgotten.

import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

import kafkajs from "kafkajs";

const { CompressionCodecs, CompressionTypes, Kafka } = kafkajs;

// tagstream compresses with zstd, which Node has and kafkajs asks for.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => zstdCompressSync(encoder.buffer),
  decompress: async (bytes) => zstdDecompressSync(bytes),
});

// A number with all its digits, also those that a double does not have.
const exact = (key, value, { source }) => (typeof value === "number" ? JSON.rawJSON(source) : value);

function open(path) {
  const database = new DatabaseSync(path);
  database.exec(
    "CREATE TABLE IF NOT EXISTS tags (entity TEXT, key TEXT, tag TEXT, value TEXT, since TEXT, PRIMARY KEY (entity, key, tag))",
  );
  const remove = database.prepare("DELETE FROM tags WHERE entity = ? AND key = ?");
  const insert = database.prepare("INSERT INTO tags VALUES (?, ?, ?, ?, ?)");
  return {
    replace(entity, key, tags) {
      database.exec("BEGIN");
      remove.run(entity, key);
      for (const [tag, now] of Object.entries(tags)) {
        insert.run(entity, key, tag, JSON.stringify(now.value), now.since);
      }
      database.exec("COMMIT");
    },
  };
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    group: { type: "string", default: "mirror" },
    topic: { type: "string", default: "tags" },
  },
});
const table = open(positionals[0] ?? "tags.db");
const kafka = new Kafka({ clientId: "tagstream-mirror", brokers: options.brokers.split(",") });
// Records of aborted transactions are no current tags: kafkajs leaves them out, unless `readUncommitted` is set.
const consumer = kafka.consumer({ groupId: options.group });
await consumer.connect();
await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
}
// An offset is committed after its record: one that was being handled when the process died comes again.
await consumer.run({
  eachMessage: async ({ message }) => {
    const text = message.key.toString();
    const colon = text.indexOf(":");
    const tags = message.value === null ? {} : JSON.parse(message.value.toString(), exact).tags;
    table.replace(text.slice(0, colon), text.slice(colon + 1), tags);
  },
});
