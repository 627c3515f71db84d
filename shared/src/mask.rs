//! Masks secrets in text before it is logged, published or sent.

use regex_lite::{Captures, Regex};
use std::sync::OnceLock;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// A form that secrets are written in.
struct Form {
    /// One of these is in every text that has the form, in lower case. Compiling a pattern takes up to 1 ms,
    /// all of them 7 ms: a text without a sign does not wait for it.
    signs: &'static [&'static str],
    /// What it looks like. Group `keep` stays, as it tells a reader what was there.
    pattern: &'static str,
    compiled: OnceLock<Result<Regex, regex_lite::Error>>,
}

const fn form(signs: &'static [&'static str], pattern: &'static str) -> Form {
    Form {
        signs,
        pattern,
        compiled: OnceLock::new(),
    }
}

/// Signs of a name that says that a secret follows.
const NAMED: &[&str] = &[
    "passw",
    "passcode",
    "passphrase",
    "_pass",
    "-pass",
    "pwd",
    "secret",
    "token",
    "key",
    "signature",
    "credential",
];

/// Names that say that a secret follows.
macro_rules! names {
    () => {
        r"(?:passw(?:or)?d|passcode|passphrase|pwd|(?:client|db|app)?[ _-]?secret|secret[ _-]?(?:access[ _-]?)?key|(?:aws|session|security|access|refresh|auth|api|id)?[ _-]?token|(?:api|private|account|encryption|signing)[ _-]?key|shared[ _-]?access[ _-]?signature|credentials?|[_-]pass)"
    };
}

const fn named(pattern: &'static str) -> Form {
    form(NAMED, pattern)
}

static FORMS: [Form; 28] = [
    // Access keys of AWS (IAM user guide, "Unique ID prefixes").
    form(
        &["akia", "asia", "aroa", "aida"],
        r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b",
    ),
    // PEM blocks, also cut off.
    form(
        &["private key-----"],
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    ),
    // Webhooks whose URL is the secret.
    form(
        &["https://hooks.slack.com/"],
        r"(?P<keep>https://hooks\.slack\.com/)(?:services|workflows|triggers)/[^\s\x22'<>]+",
    ),
    form(
        &[".webhook.office.com/"],
        r"(?P<keep>https://[\w.-]+\.webhook\.office\.com/)[^\s\x22'<>]+",
    ),
    form(
        &[".logic.azure.com"],
        r"(?P<keep>https://[\w.-]+\.logic\.azure\.com[^\s\x22'<>?]*\?)[^\s\x22'<>]+",
    ),
    form(
        &["/api/webhooks/"],
        r"(?P<keep>https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/)[^\s\x22'<>]+",
    ),
    // Tokens with a prefix of their own.
    form(&["xox"], r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    form(&["xapp-"], r"\bxapp-[0-9A-Za-z-]{10,}"),
    form(
        &["gho_", "ghp_", "ghs_", "ghu_", "ghr_"],
        r"\bgh[opsur]_[0-9A-Za-z]{20,}",
    ),
    form(&["github_pat_"], r"\bgithub_pat_[0-9A-Za-z_]{20,}"),
    form(&["glpat-"], r"\bglpat-[0-9A-Za-z_-]{16,}"),
    form(&["dapi"], r"\bdapi[0-9a-f]{32}\b"),
    form(&["dbtc_", "dbtu_"], r"\bdbt[cu]_[0-9A-Za-z_=+/-]{16,}"),
    form(&["sk-"], r"\bsk-[0-9A-Za-z_-]{20,}"),
    form(
        &["00d"],
        r"\b00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?![0-9A-Za-z._]{20,}",
    ),
    form(
        &["eyj"],
        r"\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)?",
    ),
    // Credentials in a URL: user:password@host.
    form(
        &["@"],
        r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@\x22']*:)[^\s/\x22']+(?P<end>@)",
    ),
    // Signed URLs.
    form(
        &[
            "sig=",
            "signature=",
            "x-amz-credential=",
            "x-amz-security-token=",
        ],
        r"(?i)(?P<keep>\b(?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|sig|Signature)=)[^\s&\x22'<>]+",
    ),
    // Headers.
    form(
        &["authorization"],
        r"(?i)(?P<keep>\bauthorization['\x22]?\s*[:=]\s*['\x22]?(?:bearer|basic|token)?\s*)[^\s'\x22,;]{6,}",
    ),
    form(
        &["bearer"],
        r"(?i)(?P<keep>\bbearer\s+)[0-9A-Za-z._~+/=-]{8,}",
    ),
    // Names that say that a secret follows: in quotes up to the closing one, also where the quotes are escaped.
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"["']?\s*(?:[:=]|=>)\s*")(?:[^"\\]|\\.)+"#
    )),
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"["']?\s*(?:[:=]|=>)\s*')(?:[^'\\]|\\.|'')+"#
    )),
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"(?:\\+["'])?\s*(?:[:=]|=>)\s*\\+["'])[^"'\\]+"#
    )),
    // The same without quotes, up to a space or to what separates settings.
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"(?:\\*["'])?\s*(?:[:=]|=>)\s*)[^\s"'\\;&)}\]<*][^\s"'\\;&)}\]<]{2,}"#
    )),
    // An option of a command, an element of XML, a sentence.
    named(concat!(
        r#"(?i)(?P<keep>--[\w-]*(?:"#,
        names!(),
        r#")[\w-]*\s+)[^\s"'*-]\S*"#
    )),
    named(concat!(r#"(?i)(?P<keep><(?:"#, names!(), r#")>)[^<]+"#)),
    form(
        &["passw"],
        r#"(?i)(?P<keep>\bpassw(?:or)?d\s+is\s+['"]?)[^\s'"]{3,}"#,
    ),
    form(
        &["identified by", "password"],
        r#"(?i)(?P<keep>\b(?:identified by|password)\s+')[^']+"#,
    ),
];

impl Form {
    /// Whether a text, in lower case, may hold the form.
    fn is_likely_in(&self, lower: &str) -> bool {
        self.signs.iter().any(|sign| lower.contains(sign))
    }

    fn regex(&self) -> Result<&Regex, &regex_lite::Error> {
        self.compiled
            .get_or_init(|| Regex::new(self.pattern))
            .as_ref()
    }
}

/// Returns `text` with each secret replaced by `***`; what surrounds it stays readable.
pub fn secrets(text: &str) -> String {
    // (?i) also takes these two for s and k, which a lower-case text does not show.
    let exotic = text.contains(['\u{17f}', '\u{212a}']);
    let lower = text.to_ascii_lowercase();
    let mut masked = text.to_owned();
    for form in FORMS
        .iter()
        .filter(|form| exotic || form.is_likely_in(&lower))
    {
        // Whether a form compiles depends on the features of a build. Where one does not, nothing is let through.
        let Ok(regex) = form.regex() else {
            return MASK.to_owned();
        };
        if let std::borrow::Cow::Owned(replaced) =
            regex.replace_all(&masked, |found: &Captures<'_>| replacement(found))
        {
            masked = replaced;
        }
    }
    masked
}

fn replacement(found: &Captures<'_>) -> String {
    let group = |name| found.name(name).map_or("", |part| part.as_str());
    format!("{}{MASK}{}", group("keep"), group("end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_form_compiles() {
        for form in &FORMS {
            form.regex().unwrap();
        }
    }

    #[test]
    fn signs_are_looked_for_in_lower_case() {
        let signs = FORMS.iter().flat_map(|form| form.signs);
        assert!(signs.into_iter().all(|sign| *sign == sign.to_lowercase()));
    }

    #[rstest]
    #[case("key AKIAIOSFODNN7EXAMPLE used", "key *** used")]
    #[case(
        "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key=***"
    )]
    #[case(
        "POST https://hooks.slack.com/services/T000/B000/XXXX failed",
        "POST https://hooks.slack.com/*** failed"
    )]
    #[case(
        "jdbc:postgresql://etl:s3cr3t@db.internal:5432/app",
        "jdbc:postgresql://etl:***@db.internal:5432/app"
    )]
    #[case(
        "jdbc:redshift://h:5439/d?user=etl&password=hunter22&ssl=true",
        "jdbc:redshift://h:5439/d?user=etl&password=***&ssl=true"
    )]
    #[case(
        r#"{"password": "hunter22", "user": "etl"}"#,
        r#"{"password": "***", "user": "etl"}"#
    )]
    #[case(
        r#"{\"client_secret\":\"abc123def\"}"#,
        r#"{\"client_secret\":\"***\"}"#
    )]
    #[case("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***")]
    #[case("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123", "token ***")]
    #[case(
        "session 00D300000000XyZ!AQ4AQFtYpMuzqE1.abcdefghijklmnop",
        "session ***"
    )]
    #[case(
        r#"{"password": "p@ss,word1!xx", "user": "etl"}"#,
        r#"{"password": "***", "user": "etl"}"#
    )]
    #[case(r#"{"password": "correct horse battery"}"#, r#"{"password": "***"}"#)]
    #[case(r#"{"password": "a\"b c"}"#, r#"{"password": "***"}"#)]
    #[case("Server=h;Password=Hunter,2Secret;Db=d", "Server=h;Password=***;Db=d")]
    #[case(
        "postgres://u:p@Hunter2Secret@db:5432/app",
        "postgres://u:***@db:5432/app"
    )]
    #[case(
        "run --db-password hunter22 --verbose",
        "run --db-password *** --verbose"
    )]
    #[case("<password>hunter22</password>", "<password>***</password>")]
    #[case("DB_PASS='hunter22'", "DB_PASS='***'")]
    #[case("SECRET_KEY=hunter22", "SECRET_KEY=***")]
    #[case("passcode=123456", "passcode=***")]
    #[case("secret access key: wJalrXUtnFEMI", "secret access key: ***")]
    #[case("the password is hunter22", "the password is ***")]
    #[case("xoxb-123456789012-abcdefABCDEF", "***")]
    #[case("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "***")]
    #[case(
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0f0f",
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***"
    )]
    fn masks(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(secrets(text), expected);
    }

    #[test]
    fn a_long_text_is_masked_as_a_short_one() {
        let text = format!("failed, password=hunter22 {}", "x".repeat(70_000));
        assert!(secrets(&text).starts_with("failed, password=*** xxx"));
    }

    #[rstest]
    #[case(
        "An error occurred (AccessDeniedException): User is not authorized to perform glue:GetTable"
    )]
    #[case("s3://bucket/path/to/key.parquet not found")]
    #[case("The security token included in the request is expired")]
    #[case("Table sf_user_raw: 3 of 5 checks failed; 12 tokens left")]
    #[case("Done. PASS=120 WARN=0 ERROR=0 SKIP=0 TOTAL=120")]
    #[case("The specified key does not exist. (Service: S3, Status Code: 404)")]
    #[case("IsPrimaryKey \"id\": 2 of 9 rows fail")]
    fn leaves_what_is_no_secret(#[case] text: &str) {
        assert_eq!(secrets(text), text);
    }
}
