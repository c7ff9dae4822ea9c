//! Signatures are those of Standard Webhooks, and files of secrets are checked.

use std::fs;
use std::path::PathBuf;

use tagstream::push::{SigningSecrets, sign};

use crate::support::receiver::{base64, hmac_sha256};

/// The example of the specification's reference implementations.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("secret-{name}-{}", std::process::id()));
    fs::write(&path, text).expect("a file");
    path
}

fn read(name: &str, text: &str) -> Result<SigningSecrets, String> {
    let path = file(name, text);
    let read =
        SigningSecrets::read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"));
    fs::remove_file(&path).expect("the file");
    read
}

#[test]
fn the_example_of_the_specification() {
    let secrets = read("example", SECRET).expect("a secret");
    assert_eq!(secrets.header(ID, TIMESTAMP, BODY), SIGNATURE);
}

#[test]
fn an_independent_implementation_agrees() {
    let mut random = fastrand::Rng::with_seed(7);
    for length in [0, 1, 24, 32, 63, 64, 65, 200] {
        let key: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        let body: Vec<u8> = (0..random.usize(0..500)).map(|_| random.u8(..)).collect();
        let text = [format!("msg_{length}.{length}.").as_bytes(), &body].concat();
        let wanted = format!("v1,{}", base64(&hmac_sha256(&key, &text)));
        assert_eq!(sign(&key, &format!("msg_{length}"), length as i64, &body), wanted);
    }
}

#[test]
fn while_receivers_change_over_there_is_a_signature_of_each_secret() {
    let other = format!("whsec_{}", base64(&[7; 32]));
    let secrets = read("two", &format!("# new\n{other}\n\n{SECRET}\n")).expect("two secrets");
    let header = secrets.header(ID, TIMESTAMP, BODY);
    assert_eq!(header, format!("{} {SIGNATURE}", sign(&[7; 32], ID, TIMESTAMP, BODY)));
}

#[test]
fn what_is_no_secret_is_refused_and_not_printed() {
    let make = "make one with: echo whsec_$(openssl rand -base64 32)";
    let line = |line| format!("push.secret: FILE: line {line} is not whsec_ and 24 to 64 bytes in base64; {make}");
    let cases = [
        ("empty", "\n# none\n".to_owned(), format!("push.secret: FILE: there is no secret in it; {make}")),
        ("plain", "hunter2".to_owned(), line(1)),
        ("short", format!("whsec_{}", base64(&[1; 23])), line(1)),
        ("long", format!("{SECRET}\nwhsec_{}", base64(&[1; 65])), line(2)),
        ("digits", format!("{SECRET}\n\nwhsec_*{}", base64(&[1; 32])), line(3)),
        ("padding", format!("whsec_{}=", base64(&[1; 32])), line(1)),
    ];
    for (name, text, wanted) in cases {
        assert_eq!(read(name, &text).err(), Some(wanted), "{name}");
    }
}
