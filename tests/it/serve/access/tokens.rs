//! Tokens, and the file with their hashes.

use tagstream::serve::access::{Scope, Scopes, TokenFile, new_token};

use super::Scratch;

fn error(line: &str) -> String {
    let file = Scratch::new(&format!("bad-{}", line.len()), line);
    let error = TokenFile::read(&file.0).expect_err("a wrong file").to_string();
    error.replace(&file.0.display().to_string(), "FILE")
}

#[test]
fn the_printed_line_makes_the_token_known_and_only_that_one() {
    let scopes: Scopes = [Scope::Profile, Scope::Write].into_iter().collect();
    let (token, line) = new_token("crm", scopes).expect("a token");
    let (other, other_line) = new_token("shop-1", [Scope::Catalog].into_iter().collect()).expect("a token");
    assert_ne!(token, other);
    assert!(!line.contains(&token) && !line.contains(&token["ts_".len()..]), "the file would hold the token");
    let file = Scratch::new("known", &format!("# tokens\n\n{line}\n  {other_line}\n"));
    let tokens = TokenFile::read(&file.0).expect("tokens");
    let known = tokens.find(&token).expect("it is known");
    assert_eq!((known.name.as_str(), known.scopes), ("crm", scopes));
    assert_eq!(tokens.find(&other).expect("it is known").scopes.to_string(), "catalog");
    let nearly = format!("{}0", &token[..token.len() - 1]);
    for wrong in ["", "ts_", &token[1..], &token.to_uppercase(), &format!("{token} "), &line[line.len() - 64..]] {
        assert!(tokens.find(wrong).is_none(), "{wrong}");
    }
    assert!(nearly == token || tokens.find(&nearly).is_none());
}

#[test]
fn a_wrong_file_is_told_by_line() {
    let hash = format!("sha256:{}", "0".repeat(64));
    let form = "; a line is NAME SCOPE[,SCOPE] HASH, as `tagstream token new` prints it";
    let told = |line: usize, why: &str| format!("serve.tokens = FILE, line {line}: {why}{form}");
    assert_eq!(error(&format!("\ncrm {hash}")), told(2, "it has 2 words"));
    assert_eq!(error(&format!("crm profile,wirte {hash}")), told(1, "there is no scope `wirte`"));
    assert_eq!(
        error(&format!("c/m profile {hash}")),
        told(1, "the name `c/m` is not 1 to 64 letters, digits, dots, dashes and underscores")
    );
    assert_eq!(error("crm profile sha256:12"), told(1, "the hash is not sha256: and 64 hexadecimal digits"));
    let twice = format!("crm profile {hash}\ncrm write {hash}");
    assert_eq!(error(&twice), told(2, "the name `crm` stands twice"));
    assert_eq!(error("# none\n"), "serve.tokens = FILE: there is no token in it; make one with `tagstream token new`");
}
