//! Certificates, as `openssl` makes them: an authority, and what it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of this machine.
pub const HERE: &str = "DNS:localhost,IP:127.0.0.1";

/// Who signs certificates. Everything is in its folder: `NAME.key`, `NAME.crt`.
pub struct Authority<'a> {
    folder: &'a Path,
    name: &'static str,
}

impl Authority<'_> {
    pub fn new<'a>(folder: &'a Path, name: &'static str) -> Authority<'a> {
        let authority = Authority { folder, name };
        let mut openssl = authority.request(name, name);
        openssl.args(["-x509", "-days", "2", "-out"]).arg(authority.path(name, "crt"));
        run(&mut openssl);
        authority
    }

    pub fn path(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{name}.{kind}"))
    }

    /// A new key, and a request in its name.
    fn request(&self, name: &str, subject: &str) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        openssl.args(["-subj", &format!("/CN={subject}"), "-keyout"]).arg(self.path(name, "key"));
        openssl
    }

    /// `NAME.crt` and `NAME.key` for hosts of these names, and both together in `NAME.pem`. It expires after `days`; a
    /// negative number: it has expired.
    pub fn sign(&self, name: &str, subject: &str, hosts: &str, days: i32) {
        let (request, extensions) = (self.path(name, "csr"), self.path(name, "ext"));
        run(self.request(name, subject).arg("-out").arg(&request));
        fs::write(&extensions, format!("subjectAltName={hosts}\n")).expect("extensions");
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-req", "-set_serial", "1", "-days", &days.to_string(), "-in"]).arg(&request);
        openssl.arg("-CA").arg(self.path(self.name, "crt")).arg("-CAkey").arg(self.path(self.name, "key"));
        openssl.arg("-extfile").arg(extensions).arg("-out").arg(self.path(name, "crt"));
        run(&mut openssl);
        let read = |name: &str, kind: &str| fs::read_to_string(self.path(name, kind)).expect("what openssl wrote");
        let store = [read(name, "key"), read(name, "crt"), read(self.name, "crt")].concat();
        fs::write(self.path(name, "pem"), store).expect("a key store");
    }
}

fn run(openssl: &mut Command) {
    let output = openssl.output().unwrap_or_else(|error| panic!("openssl, which deploy/setup.sh installs: {error}"));
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
