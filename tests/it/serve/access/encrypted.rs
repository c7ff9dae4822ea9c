//! TLS: files that are wrong.

use std::process::Command;

use tagstream::serve::access::tls_acceptor;
use tagstream::settings::TlsFiles;

use super::Scratch;

/// A new key and a certificate that it has signed itself, as `openssl` makes them.
fn certificate(name: &str) -> (String, String) {
    let (key, certificate) = (Scratch::new(&format!("{name}-new-key"), ""), Scratch::new(&format!("{name}-new"), ""));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-keyout"])
        .arg(&key.0)
        .arg("-out")
        .arg(&certificate.0)
        .output()
        .expect("openssl, which deploy/setup.sh installs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |file: &Scratch| std::fs::read_to_string(&file.0).expect("a file");
    (read(&certificate), read(&key))
}

fn error(name: &str, certificate: &str, key: &str) -> String {
    let (certificate, key) =
        (Scratch::new(&format!("{name}-certificate"), certificate), Scratch::new(&format!("{name}-key"), key));
    let files = TlsFiles { certificate: certificate.0.clone(), key: key.0.clone() };
    let error = tls_acceptor(&files).err().map(|error| error.to_string()).unwrap_or_default();
    error
        .replace(&files.certificate.display().to_string(), "CERTIFICATE")
        .replace(&files.key.display().to_string(), "KEY")
}

#[test]
fn a_certificate_needs_its_key() {
    let (own, key) = certificate("own");
    let (_, other) = certificate("other");
    assert_eq!(error("good", &own, &key), "");
    assert_eq!(error("empty", "", &key), "serve.certificate = CERTIFICATE: there is no certificate in it");
    assert!(error("no-key", &own, &own).starts_with("serve.key = KEY: "));
    assert!(error("other", &own, &other).starts_with("serve.certificate and serve.key do not fit: "));
    let missing = TlsFiles { certificate: "/nowhere/c.pem".into(), key: "/nowhere/k.pem".into() };
    let missing = tls_acceptor(&missing).err().expect("no file").to_string();
    assert!(missing.starts_with("serve.certificate = /nowhere/c.pem: "), "{missing}");
}
