//! A broker as production has them: TLS, passwords, client certificates, and no right for anybody that was not given.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::broker::{Broker, Extras, run};
use super::service::Setup;

/// Whom the service is to the brokers, however it proves it.
pub const USER: &str = "tagstream";
/// Must be seen in no log.
pub const PASSWORD: &str = "canary-4711-open-sesame";

/// How a client proves who it is.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    Scram,
    Plain,
    Certificate,
}

pub struct Secured {
    pub broker: Broker,
    sasl: u16,
    mutual: u16,
    expired: u16,
}

/// The one that the tests of this process share, started by the first that asks for it.
pub fn shared() -> &'static Secured {
    static SHARED: OnceLock<Secured> = OnceLock::new();
    SHARED.get_or_init(|| {
        let broker = Broker::start_with(extras);
        let [sasl, mutual, expired] = broker.ports[..] else { unreachable!("three more listeners") };
        fs::write(broker.folder().join("password"), PASSWORD).expect("a password");
        Secured { broker, sasl, mutual, expired }
    })
}

impl Secured {
    pub fn file(&self, name: &str) -> String {
        self.broker.folder().join(name).display().to_string()
    }

    /// Has a setup come in through a guarded door. Until then it comes through the plain one, and may do everything.
    pub fn guard(&self, setup: Setup, proof: Proof) -> Setup {
        match proof {
            Proof::Scram => self.with_password(setup, "SCRAM-SHA-512"),
            Proof::Plain => self.with_password(setup, "PLAIN"),
            Proof::Certificate => self.with_certificate(setup, "client"),
        }
    }

    fn with_password(&self, setup: Setup, mechanism: &str) -> Setup {
        self.with_authority(setup, "sasl_ssl", self.sasl)
            .with(&format!("kafka.properties.sasl.mechanism={mechanism}"))
            .with(&format!("kafka.properties.sasl.username={USER}"))
            .with_variable("TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD_FILE", &self.file("password"))
    }

    /// With `NAME.crt` and `NAME.key`.
    pub fn with_certificate(&self, setup: Setup, name: &str) -> Setup {
        self.with_authority(setup, "ssl", self.mutual)
            .with(&format!("kafka.properties.ssl.certificate.location={}", self.file(&format!("{name}.crt"))))
            .with(&format!("kafka.properties.ssl.key.location={}", self.file(&format!("{name}.key"))))
    }

    /// To where the broker shows a certificate that has expired.
    pub fn with_expired_broker(&self, setup: Setup) -> Setup {
        self.with_authority(setup, "ssl", self.expired)
    }

    fn with_authority(&self, setup: Setup, protocol: &str, port: u16) -> Setup {
        setup
            .with(&format!("kafka.brokers=127.0.0.1:{port}"))
            .with(&format!("kafka.properties.security.protocol={protocol}"))
            .with(&format!("kafka.properties.ssl.ca.location={}", self.file("authority.crt")))
    }
}

fn extras(folder: &Path) -> Extras {
    certificates(folder);
    let store = |name: &str| folder.join(name).display().to_string();
    let (broker, expired, authority) = (store("broker.pem"), store("expired-broker.pem"), store("authority.crt"));
    let modules = "org.apache.kafka.common.security";
    let properties = [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        "super.users=User:ANONYMOUS".to_owned(),
        "ssl.keystore.type=PEM".to_owned(),
        format!("ssl.keystore.location={broker}"),
        "ssl.truststore.type=PEM".to_owned(),
        format!("ssl.truststore.location={authority}"),
        "sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN".to_owned(),
        format!(
            "listener.name.sasl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;\n\
             listener.name.sasl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
        ),
        "listener.name.mutual.ssl.client.auth=required".to_owned(),
        "listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/".to_owned(),
        "listener.name.expired.ssl.keystore.type=PEM".to_owned(),
        format!("listener.name.expired.ssl.keystore.location={expired}"),
    ];
    Extras {
        listeners: vec![("SASL", "SASL_SSL"), ("MUTUAL", "SSL"), ("EXPIRED", "SSL")],
        properties: properties.to_vec(),
        format: vec!["--add-scram".to_owned(), format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]")],
        behind: None,
    }
}

/// An authority, and what it has signed: a broker's and a client's certificate, and of each one that has expired. And
/// another authority, which nobody knows, with a client's certificate.
fn certificates(folder: &Path) {
    let authority = Authority::new(folder, "authority");
    for (name, subject, days) in [
        ("broker", "localhost", 2),
        ("expired-broker", "localhost", -1),
        ("client", USER, 2),
        ("expired-client", USER, -1),
    ] {
        authority.sign(name, subject, days);
    }
    Authority::new(folder, "stranger").sign("strange-client", USER, 2);
}

struct Authority<'a> {
    folder: &'a Path,
    name: &'static str,
}

impl Authority<'_> {
    fn new<'a>(folder: &'a Path, name: &'static str) -> Authority<'a> {
        let authority = Authority { folder, name };
        let mut openssl = authority.request(name, name);
        openssl.args(["-x509", "-days", "2", "-out"]).arg(authority.path(name, "crt"));
        run("openssl", &mut openssl);
        authority
    }

    fn path(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{name}.{kind}"))
    }

    /// A new key, and a request in its name.
    fn request(&self, name: &str, subject: &str) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        openssl.args(["-subj", &format!("/CN={subject}"), "-keyout"]).arg(self.path(name, "key"));
        openssl
    }

    /// `NAME.crt` and `NAME.key`, and both together in `NAME.pem`. It expires after so many days, or has expired.
    fn sign(&self, name: &str, subject: &str, days: i32) {
        let (request, extensions) = (self.path(name, "csr"), self.path(name, "ext"));
        run("openssl", self.request(name, subject).arg("-out").arg(&request));
        fs::write(&extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("extensions");
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-req", "-set_serial", "1", "-days", &days.to_string(), "-in"]).arg(&request);
        openssl.arg("-CA").arg(self.path(self.name, "crt")).arg("-CAkey").arg(self.path(self.name, "key"));
        openssl.arg("-extfile").arg(extensions).arg("-out").arg(self.path(name, "crt"));
        run("openssl", &mut openssl);
        let read = |name: &str, kind: &str| fs::read_to_string(self.path(name, kind)).expect("what openssl wrote");
        let store = [read(name, "key"), read(name, "crt"), read(self.name, "crt")].concat();
        fs::write(self.path(name, "pem"), store).expect("a key store");
    }
}
