//! A batch of records that becomes too large when it is decompressed: the probe names the offset and what mends it.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::fixture::broker;
use crate::fixture::client::{committed, config, produce};
use crate::fixture::echo::{ECHO, numbered};
use crate::support::http_client::get;
use crate::support::service::Setup;

/// More than librdkafka makes of a batch.
const ZEROS: usize = 101_000_000;

#[test]
fn a_batch_that_unpacks_to_too_much_is_told_with_its_offset() {
    let broker = broker::shared();
    let setup = Setup::on("unpacked", broker, ECHO).with("http.listen=127.0.0.1:0");
    setup.create_topics(2);
    let topic = setup.topic("events");
    let both: Vec<_> = numbered(0, 10, 2);
    let before = both.iter().filter(|write| write.partition == 1).count();
    produce(broker, &topic, both);
    let mut large = config(broker);
    large.set("message.max.bytes", "200000000").set("compression.type", "zstd");
    let producer: BaseProducer = large.create().expect("a producer");
    let zeros = vec![0_u8; ZEROS];
    let record = BaseRecord::<[u8], [u8]>::to(&topic).partition(1).payload(&zeros);
    producer.send(record).map_err(|(error, _)| error).expect("sent");
    producer.flush(Duration::from_secs(60)).expect("written");
    drop(zeros);

    let mut service = setup.start();
    let address = service.http_address();
    let words = format!("partition 1 cannot be read from offset {before} on");
    service.until("the probe to name the partition", |_| {
        let answer = get(address, "/readyz");
        answer.status == 503 && answer.body.contains(&words) && answer.body.contains("receive.message.max.bytes")
    });
    service.says(&words);
    // It is tried again several times a second, and not told each time.
    std::thread::sleep(Duration::from_secs(5));
    let log = service.log();
    assert!(log.matches("cannot be read from offset").count() <= 2, "{log}");
    assert!(log.matches("BadCompression").count() <= 2, "{log}");
    // The other partition goes on.
    produce(broker, &topic, numbered(10, 10, 2).into_iter().filter(|write| write.partition == 0));
    service.until("the other partition", |_| committed(broker, &setup.application, &topic)[0] == Some(10));
    service.stop();
}
