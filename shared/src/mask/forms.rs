//! The forms that secrets are written in.

use super::{Form, form};

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
        r"(?:passw(?:or)?d|passcode|passphrase|pwd|(?:client|db|app)?[ ._-]?secret|secret[ ._-]?(?:access[ ._-]?)?key|(?:aws|session|security|access|refresh|auth|api|id)?[ ._-]?token|(?:api|private|account|access|encryption|signing|routing|integration|service|master|fernet|storage|subscription|functions?)[ ._-]?key|shared[ _-]?access[ _-]?signature|credentials?|[_-]pass)"
    };
}

const fn named(pattern: &'static str) -> Form {
    form(NAMED, pattern)
}

/// Names that say so only where the value stands right behind them: `PASS=120` counts tests.
macro_rules! short_names {
    () => {
        r"(?:\b(?:pass|Pass|pw)|[a-z0-9]P(?:ass|w))"
    };
}

/// What separates a name from its value.
macro_rules! separator {
    () => {
        r"(?:[:=]|=>|->)"
    };
}

pub(super) static FORMS: [Form; 67] = [
    // Access keys of AWS (IAM user guide, "Unique ID prefixes"), and the secret key right behind one.
    form(
        &["akia", "asia"],
        r#"(?P<keep>\b(?:AKIA|ASIA)[0-9A-Z]{16}[^0-9A-Za-z+/]{1,4})[0-9A-Za-z+/]{40}\b"#,
    ),
    form(
        &["akia", "asia", "aroa", "aida"],
        r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b",
    ),
    // PEM blocks, also cut off.
    form(
        &["private key-----", "private key block-----"],
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    )
    .of_a_block(),
    // Webhooks whose URL is the secret.
    form(
        &["https://hooks.slack.com/"],
        r"(?P<keep>https://hooks\.slack\.com/)(?:services|workflows|triggers)/[^\s\x22'<>]+",
    ),
    form(
        &[".webhook.office.com/", "outlook.office.com/webhook"],
        r"(?P<keep>https://(?:[\w.-]+\.webhook\.office\.com|outlook\.office\.com)/)[^\s\x22'<>]+",
    ),
    form(
        &[".logic.azure.com"],
        r"(?P<keep>https://[\w.-]+\.logic\.azure\.com[^\s\x22'<>?]*\?)[^\s\x22'<>]+",
    ),
    form(
        &["/api/webhooks/"],
        r"(?P<keep>https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/)[^\s\x22'<>]+",
    ),
    form(
        &["pagerduty.com/integration/"],
        r"(?P<keep>https://events\.(?:eu\.)?pagerduty\.com/integration/)[0-9A-Za-z]+",
    ),
    form(
        &["api.telegram.org/bot"],
        r"(?P<keep>https://api\.telegram\.org/bot)[0-9]+:[0-9A-Za-z_-]+",
    ),
    form(
        &[".ingest.", "sentry"],
        r"(?P<keep>https://)[0-9a-f]{32}(?P<end>@)",
    )
    .beside(&["@"]),
    // Tokens with a prefix of their own.
    form(&["xox"], r"\bxox[abcdeoprs]-[0-9A-Za-z-]{10,}"),
    form(&["xapp-"], r"\bxapp-[0-9A-Za-z-]{10,}"),
    form(
        &["gho_", "ghp_", "ghs_", "ghu_", "ghr_"],
        r"\bgh[opsur]_[0-9A-Za-z]{20,}",
    ),
    form(&["github_pat_"], r"\bgithub_pat_[0-9A-Za-z_]{20,}"),
    form(
        &["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"],
        r"\bgl(?:pat|dt|rt|ptt|cbt)-[0-9A-Za-z_.-]{16,}",
    ),
    form(&["dapi"], r"\bdapi[0-9a-f]{32}\b"),
    form(&["dbtc_", "dbtu_"], r"\bdbt[cu]_[0-9A-Za-z_=+/-]{16,}"),
    form(
        &["sk-", "sk_live_", "sk_test_", "rk_live_"],
        r"\b(?:sk-[0-9A-Za-z_-]{20,}|[rs]k_(?:live|test)_[0-9A-Za-z]{16,})",
    ),
    form(
        &["aiza", "ya29.", "gocspx-"],
        r"\b(?:AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,})",
    ),
    form(
        &["npm_", "pypi-", "hf_", "hvs.", "hvb.", "sg."],
        r"\b(?:npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{40,}|hf_[0-9A-Za-z]{30,}|hv[sb]\.[0-9A-Za-z_-]{20,}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,})",
    ),
    form(
        &["shp", "dop_v1_", "doo_v1_", "dor_v1_"],
        r"\b(?:shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{20,}|do[opr]_v1_[0-9a-f]{20,})",
    ),
    form(
        &["nrak-", "age-secret-key-", "lin_api_"],
        r"\b(?:NRAK-[0-9A-Z]{20,}|AGE-SECRET-KEY-[0-9A-Z]{20,}|lin_api_[0-9A-Za-z]{20,})",
    ),
    // Salesforce: session ids and refresh tokens.
    form(
        &["00d"],
        r"\b00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?![0-9A-Za-z._]{20,}",
    )
    .beside(&["!"]),
    form(&["5aep"], r"\b5Aep[0-9A-Za-z._]{30,}"),
    form(
        &["eyj"],
        r"\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)?",
    ),
    // Credentials in a URL: user:password@host, also with a slash in the password; a token alone; and user/password@
    // as Oracle has it.
    form(
        &["://"],
        r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@\x22']*:)[^\s/\x22']+(?P<end>@)",
    )
    .beside(&["@"]),
    form(
        &["://"],
        r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@\x22']*:)[0-9]*[^\s0-9/@*\x22'][^\s/@\x22']*/[^\s@\x22']*(?P<end>@)",
    )
    .beside(&["@"]),
    form(
        &["://"],
        r"(?P<keep>\bhttps?://)[^\s:/@*?#\x22'<>]{16,}(?P<end>@)",
    )
    .beside(&["@"]),
    form(
        &[
            "sqlplus", "sqlldr", "expdp", "impdp", "rman", "connect", "dsn", "oracle",
        ],
        r"(?i)(?P<keep>\b(?:sqlplus|sqlldr|expdp|impdp|rman|connect|dsn|oracle|oracledb|cx_oracle)\b[^\r\n]*?[\s\x22'(=][a-z][\w$#]*/)[^\s/@\x22']+(?P<end>@)",
    )
    .beside(&["@"]),
    form(
        &["jdbc:oracle:"],
        r"(?i)(?P<keep>\bjdbc:oracle:[a-z]+:[^\s/@\x22']+/)[^\s@\x22']+(?P<end>@)",
    )
    .beside(&["@"]),
    // Signed URLs.
    form(
        &[
            "sig=",
            "signature=",
            "x-amz-credential=",
            "x-amz-security-token=",
            "x-goog-credential=",
        ],
        r"(?i)(?P<keep>\b(?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|sig|Signature)=)[^\s&\x22'<>]+",
    ),
    form(
        &["key=", "code="],
        r"(?i)(?P<keep>\bgoogleapis\.com/[^\s\x22'<>?]*\?(?:[^\s\x22'<>]*?&)?key=|[?&]code=)[^\s&\x22'<>*][^\s&\x22'<>]{7,}",
    ),
    // Headers.
    form(
        &["authorization"],
        r"(?i)(?P<keep>\bauthorization\\*['\x22]?\s*[:=]\s*\\*['\x22]?(?:(?:bearer|basic|token|geniekey)\s+)?(?:token=)?)[^\s'\x22,;\\]{6,}",
    ),
    form(
        &["bearer", "basic"],
        r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[0-9A-Za-z._~+/-]{8,}={0,2}",
    ),
    form(
        &["cookie"],
        r"(?i)(?P<keep>\bcookie\\*['\x22]?\s*[:=]\s*\\*['\x22]?)[^\s'\x22\\][^\r\n'\x22\\]*",
    ),
    // Names that say that a secret follows: in quotes up to the closing one, also where the quotes are escaped.
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"["']?\s*"#,
        separator!(),
        r#"\s*")(?:[^"\\]|\\.)+"#
    ))
    .beside(&["\""]),
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"["']?\s*"#,
        separator!(),
        r#"\s*')(?:[^'\\]|\\.|'')+"#
    ))
    .beside(&["'"]),
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"(?:\\+["'])?\s*"#,
        separator!(),
        r#"\s*\\+["'])[^"'\\]+"#
    ))
    .beside(&["\\"]),
    // A name and a value apart, as containers and tags have them, in either order.
    named(concat!(
        r#"(?i)(?P<keep>"(?:name|key)"\s*:\s*"[^"\\]*"#,
        names!(),
        r#"[^"\\]*"\s*,\s*"value"\s*:\s*")(?:[^"\\]|\\.)+"#
    ))
    .beside(&["value\""]),
    named(concat!(
        r#"(?i)(?P<keep>'(?:name|key)'\s*:\s*'[^'\\]*"#,
        names!(),
        r#"[^'\\]*'\s*,\s*'value'\s*:\s*)(?:'(?:[^'\\]|\\.)+'|"(?:[^"\\]|\\.)+")"#
    ))
    .beside(&["value'"]),
    named(concat!(
        r#"(?i)(?P<keep>\\+"(?:name|key)\\+"\s*:\s*\\+"[^"\\]*"#,
        names!(),
        r#"[^"\\]*\\+"\s*,\s*\\+"value\\+"\s*:\s*\\+")[^"\\]+"#
    ))
    .beside(&["value\\"]),
    named(concat!(
        r#"(?i)(?P<keep>\\*["']value\\*["']\s*:\s*)[^{}\r\n]+?(?P<end>\s*,\s*\\*["'](?:name|key)\\*["']\s*:\s*\\*["'][^"'\\]*"#,
        names!(),
        r#")"#
    ))
    .beside(&["value\"", "value'", "value\\"]),
    // A pair in a list: arguments of a job or a container, options of Spark.
    named(concat!(
        r#"(?i)(?P<keep>"--?[\w.-]*"#,
        names!(),
        r#""\s*,\s*")(?:[^"\\]|\\.)+"#
    ))
    .beside(&["\","]),
    named(concat!(
        r#"(?i)(?P<keep>'--?[\w.-]*"#,
        names!(),
        r#"'\s*,\s*)(?:'(?:[^'\\]|\\.)+'|"(?:[^"\\]|\\.)+")"#
    ))
    .beside(&["',"]),
    named(concat!(
        r#"(?i)(?P<keep>\\+"--[\w.-]*"#,
        names!(),
        r#"\\+"\s*,\s*\\+")[^"\\]+"#
    ))
    .beside(&["\\\","]),
    named(concat!(
        r#"(?i)(?P<keep>\([\w.-]*"#,
        names!(),
        r#",)[^\s()"',*][^\s()]*"#
    ))
    .beside(&["("]),
    // A secret of Secrets Manager, whatever is in it.
    form(
        &["secretstring"],
        r#"(?i)(?P<keep>\bsecretstring["']?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)+"|'(?:[^'\\]|\\.)+')"#,
    ),
    form(
        &["secretstring"],
        r#"(?i)(?P<keep>\bsecretstring(?:\\+["'])?\s*[:=]\s*)(?:\\*["']?\{[^\r\n]*\}|(?:\\+["'])?[^\s"',{}\\*]{3,})"#,
    ),
    // Short names for a password, and what Docker keeps of a registry.
    form(
        &["pass", "pw"],
        concat!(
            "(?P<keep>",
            short_names!(),
            r#"["']?\s*[:=]\s*")(?:[^"\\]|\\.)+"#
        ),
    )
    .beside(&["\""]),
    form(
        &["pass", "pw"],
        concat!(
            "(?P<keep>",
            short_names!(),
            r#"["']?\s*[:=]\s*')(?:[^'\\]|\\.)+"#
        ),
    )
    .beside(&["'"]),
    form(
        &["pass", "pw"],
        concat!(
            "(?P<keep>",
            short_names!(),
            r#"(?:\\+["'])?\s*[:=]\s*\\+["'])[^"'\\]+"#
        ),
    )
    .beside(&["\\"]),
    form(
        &["pass", "pw"],
        concat!(
            "(?P<keep>",
            short_names!(),
            r#"(?:=|:[ ]?))(?:[0-9]*[^\s0-9"'\\;&)}\]<*|>,.=:][^\s"'\\;&)}\]<]{2,}|[0-9]{5,})"#
        ),
    )
    .that_may_go_on(),
    form(
        &["auth\"", "auth'", "auth\\"],
        r#"(?i)(?P<keep>\\*["']auth\\*["']\s*:\s*\\*["'])[0-9A-Za-z+/=_-]{8,}"#,
    ),
    // The same without quotes, up to a space or to what separates settings; a password may be short.
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"(?:\\*["'])?\s*"#,
        separator!(),
        r#"\s*)[^\s"'\\;&)}\]<*|>][^\s"'\\;&)}\]<]{2,}"#
    ))
    .beside(&[":", "=", "->"])
    .that_may_go_on(),
    named(concat!(
        r#"(?i)(?P<keep>\b(?:spark|hadoop|hive|fs)\.[\w.-]*?"#,
        names!(),
        r#"[ \t]+)[^\s"'*:=][^\s]{7,}"#
    ))
    .beside(&["spark.", "hadoop.", "hive.", "fs."]),
    form(
        &["passw", "pwd"],
        r#"(?i)(?P<keep>(?:passw(?:or)?d|pwd)=)[^\s"'\\;&)}\]<*]{1,2}"#,
    ),
    form(
        &["account.key"],
        r#"(?i)(?P<keep>\baccount\.key\.[\w.-]+\\*["']?\s*[:=]\s*\\*["']?)[^\s"'\\]+"#,
    ),
    // A block of YAML, an option of a command, an element of XML, a sentence, an option of SQL.
    named(concat!(
        r#"(?i)(?P<keep>"#,
        names!(),
        r#"\s*:\s*[|>][+-]?[ ]*\r?\n\s+)\S+"#
    ))
    .beside(&["|", ">"]),
    named(concat!(
        r#"(?i)(?P<keep>--[\w-]*(?:"#,
        names!(),
        // The id of a secret is none.
        r#")(?:-(?:string|value|text|binary))?\s+)[^\s"'*<-]\S*"#
    ))
    .beside(&["--"]),
    form(
        &["curl"],
        r#"(?i)(?P<keep>\bcurl\b[^\r\n]*?\s(?:-u|--user)[ =]?\s*["']?[^\s:"']+:)[^\s"']+"#,
    ),
    form(
        &["mysql", "sshpass", "mongo"],
        r#"(?i)(?P<keep>\b(?:mysql\w*|mongo\w*|sshpass)\b[^\r\n]*?\s-p["']?)[^\s"'*-][^\s"']*"#,
    ),
    form(
        &["sshpass", "mongo"],
        r#"(?i)(?P<keep>\b(?:sshpass|mongo\w*)\b[^\r\n]*?\s-p\s+["']?)[^\s"'*][^\s"']*"#,
    ),
    named(concat!(r#"(?i)(?P<keep><(?:"#, names!(), r#")>)[^<]+"#)).beside(&["</"]),
    form(
        &["passw"],
        r#"(?i)(?P<keep>\bpassw(?:or)?d\s+is\s+['"]?)[^\s'"]{3,}"#,
    ),
    form(
        &[
            "identified by",
            "password",
            "secret_access_key",
            "session_token",
            "master_symmetric_key",
        ],
        r#"(?i)(?P<keep>\b(?:identified by|password|secret_access_key|session_token|master_symmetric_key)\s+')[^']+"#,
    ),
    form(
        &["identified"],
        r#"(?i)(?P<keep>\bidentified\s+by\s+(?:values\s+|password\s+)?)(?:"[^"]+"|'[^']+')"#,
    ),
    form(
        &["identified"],
        r#"(?i)(?P<keep>\b(?:user|role|to)\s+[^\s]+\s+identified\s+by\s+)[^\s"';*][^\s;]*"#,
    ),
];
