//! Secrets taken out of text before anything is written.
//!
//! Two kinds of rule: tokens that are known by their own shape (applied to every text), and values that a key such as
//! `password=` gives away (applied to messages only, because a test may well be called `password=empty`). Shapes follow
//! the issuers' documentation. Values of the process's own secret variables are taken out wherever they stand.

pub(crate) mod detect;

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::{Captures, Regex};

/// A secret's shape: its name and a regular expression, whose group `secret` is what goes.
struct Shape {
    name: &'static str,
    /// Every match has one of these in it; letters after `(?i)` in lower case. Looking for them is quicker than compiling
    /// the expressions, which most texts never need.
    needs: &'static [&'static str],
    pattern: &'static str,
}

/// Tokens that are known by their own shape.
const TOKENS: &[Shape] = &[
    Shape {
        name: "github-token",
        needs: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        pattern: r"\bgh[pousr]_[A-Za-z0-9]{20,255}",
    },
    Shape {
        name: "github-pat",
        needs: &["github_pat_"],
        pattern: r"\bgithub_pat_[A-Za-z0-9_]{20,255}",
    },
    Shape {
        name: "gitlab-token",
        needs: &[
            "glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "gloas-", "glsoat-", "glimt-", "glft-",
            "glagent-",
        ],
        pattern: r"\bgl(?:pat|ptt|dt|rt|cbt|oas|soat|imt|ft|agent)-[A-Za-z0-9_\-.]{16,300}",
    },
    Shape {
        name: "aws-key-id",
        needs: &["A3T", "AKIA", "ASIA", "ABIA", "ACCA"],
        pattern: r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    },
    Shape {
        name: "google-key",
        needs: &["AIza"],
        pattern: r"\bAIza[A-Za-z0-9_\-]{35}",
    },
    Shape {
        name: "google-oauth",
        needs: &["ya29.", "GOCSPX-"],
        pattern: r"\b(?:ya29\.[A-Za-z0-9_\-.]{20,}|GOCSPX-[A-Za-z0-9_\-]{20,})",
    },
    Shape {
        name: "slack-token",
        needs: &["xox", "xapp-"],
        pattern: r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9\-]{8,}|\bxapp-[0-9]-[A-Za-z0-9\-]{16,}",
    },
    Shape {
        name: "slack-webhook",
        needs: &["hooks.slack.com/"],
        pattern: r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,}",
    },
    Shape {
        name: "discord-webhook",
        needs: &["discord"],
        pattern: r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{15,}/[A-Za-z0-9_\-]{40,}",
    },
    Shape {
        name: "stripe-key",
        needs: &["sk_", "rk_", "pk_", "whsec_"],
        pattern: r"\b(?:sk|rk|pk)_(?:test|live|prod)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{20,}",
    },
    Shape {
        name: "anthropic-key",
        needs: &["sk-ant-"],
        pattern: r"\bsk-ant-[A-Za-z0-9_\-]{20,}",
    },
    Shape {
        name: "openai-key",
        needs: &["sk-"],
        pattern: r"\bsk-(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_\-]{20,}",
    },
    Shape {
        name: "hugging-face-token",
        needs: &["hf_", "api_org_"],
        pattern: r"\b(?:hf|api_org)_[A-Za-z]{34}\b",
    },
    Shape {
        name: "npm-token",
        needs: &["npm_"],
        pattern: r"\bnpm_[A-Za-z0-9]{36}",
    },
    Shape {
        name: "pypi-token",
        needs: &["pypi-"],
        pattern: r"\bpypi-[A-Za-z0-9_\-]{50,}",
    },
    Shape {
        name: "crates-token",
        needs: &["cio"],
        pattern: r"\bcio[A-Za-z0-9]{32}\b",
    },
    Shape {
        name: "rubygems-token",
        needs: &["rubygems_"],
        pattern: r"\brubygems_[a-f0-9]{48}",
    },
    Shape {
        name: "docker-token",
        needs: &["dckr_"],
        pattern: r"\bdckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,}",
    },
    Shape {
        name: "sendgrid-key",
        needs: &["SG."],
        pattern: r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
    },
    Shape {
        name: "twilio-key",
        needs: &["SK", "AC"],
        pattern: r"\b(?:SK|AC)[0-9a-f]{32}\b",
    },
    Shape {
        name: "mailgun-key",
        needs: &["key-"],
        pattern: r"\b(?:key|pubkey)-[0-9a-f]{32}\b",
    },
    Shape {
        name: "digitalocean-token",
        needs: &["_v1_"],
        pattern: r"\bdo[opr]_v1_[a-f0-9]{64}",
    },
    Shape {
        name: "databricks-token",
        needs: &["dapi"],
        pattern: r"\bdapi[a-f0-9]{32}",
    },
    Shape {
        name: "shopify-token",
        needs: &["shp"],
        pattern: r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    },
    Shape {
        name: "square-token",
        needs: &["EAAA", "sq0"],
        pattern: r"\b(?:EAAA|sq0[a-z]{3}-)[A-Za-z0-9_\-]{22,}",
    },
    Shape {
        name: "telegram-token",
        needs: &[":AA"],
        pattern: r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,}",
    },
    Shape {
        name: "grafana-token",
        needs: &["glc_", "glsa_", "eyJrIjoi"],
        pattern: r"\bgl(?:c|sa)_[A-Za-z0-9+/_]{32,}={0,2}|\beyJrIjoi[A-Za-z0-9+/]{40,}={0,2}",
    },
    Shape {
        name: "linear-key",
        needs: &["lin_"],
        pattern: r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}",
    },
    Shape {
        name: "vault-token",
        needs: &["hvb.", "hvs.", "hvr."],
        pattern: r"\bhv[bsr]\.[A-Za-z0-9_\-]{20,}",
    },
    Shape {
        name: "terraform-token",
        needs: &[".atlasv1."],
        pattern: r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{40,}",
    },
    Shape {
        name: "doppler-token",
        needs: &["dp."],
        pattern: r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{30,}",
    },
    Shape {
        name: "planetscale-token",
        needs: &["pscale_"],
        pattern: r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=\-]{30,}",
    },
    Shape {
        name: "pulumi-token",
        needs: &["pul-"],
        pattern: r"\bpul-[a-f0-9]{40}",
    },
    Shape {
        name: "postman-key",
        needs: &["PMAK-"],
        pattern: r"\bPMAK-[A-Fa-f0-9]{24}-[A-Fa-f0-9]{34}",
    },
    Shape {
        name: "new-relic-key",
        needs: &["NRAK-", "NRAL-", "NRJS-", "NRII-"],
        pattern: r"\bNR(?:AK|AL|JS|II)-[A-Za-z0-9\-]{19,}",
    },
    Shape {
        name: "sentry-token",
        needs: &["sntr"],
        pattern: r"\bsntr(?:ys|yu)_[A-Za-z0-9_=+/]{40,}",
    },
    Shape {
        name: "age-key",
        needs: &["AGE-SECRET-KEY-1"],
        pattern: r"\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    },
    Shape {
        name: "azure-secret",
        needs: &["Q~"],
        pattern: r"\b[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}",
    },
    Shape {
        name: "jwt",
        needs: &[".ey"],
        pattern: r"\bey[A-Za-z0-9_\-]{14,}\.ey[A-Za-z0-9_\-/]{14,}(?:\.[A-Za-z0-9_\-/]{8,}={0,2})?",
    },
    Shape {
        name: "private-key",
        needs: &["-----BEGIN"],
        pattern: r"-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
    },
    Shape {
        name: "url-password",
        needs: &["://"],
        pattern: r"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@]{0,100}:(?P<secret>[^\s/@]{1,200})@",
    },
];

/// Values that the word before them gives away.
const KEYED: &[Shape] = &[
    Shape {
        name: "authorization",
        needs: &["authorization"],
        pattern: r#"(?i)\b(?:proxy-)?authorization['"]?\s{0,4}[:=]\s{0,4}['"]?(?:(?:bearer|basic|token|digest|apikey)\s{1,4})?(?P<secret>[^\s'",;]{6,})"#,
    },
    Shape {
        name: "bearer",
        needs: &["bearer"],
        pattern: r"(?i)\bbearer\s{1,4}(?P<secret>[A-Za-z0-9_\-.~+/]{12,}=*)",
    },
    Shape {
        name: "keyed",
        needs: &[
            "_key",
            "_pat",
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "secret",
            "token",
            "api",
            "access",
            "auth",
            "private",
            "client",
            "account",
            "credential",
        ],
        pattern: r#"(?i)(?:(?-i:\b[A-Z0-9_]{2,40}_(?:KEY|PAT))|password|passwd|passphrase|\bpwd|secret|token|api[_\-]?key|apikey|access[_\-]?key|auth[_\-]?key|private[_\-]?key|client[_\-]?secret|account[_\-]?key|credentials?)[A-Za-z0-9_\-]{0,20}(?:\\?['"\])]){0,2}\s{0,4}(?::=|=>|=|:)\s{0,4}(?:\\?['"](?P<quoted>[^'"\\\n]{4,})\\?['"]|(?P<secret>[^\s'",;&<>(){}\[\]\\][^\s'",;&<>\\]{5,}))"#,
    },
    Shape {
        name: "flag",
        needs: &["-password", "-passwd", "-token", "-secret", "-api"],
        pattern: r"(?i)--?(?:password|passwd|token|secret|api-key|apikey)[ =](?P<secret>[^\s]{6,})",
    },
];

/// Takes secrets out of text.
#[derive(Debug)]
pub(crate) struct Redactor {
    /// Values of the process's own secret variables, longest first.
    known: Vec<String>,
}

/// A variable's value shorter than this may stand anywhere by chance.
const SHORTEST_KNOWN: usize = 8;

impl Redactor {
    /// Takes the variables whose names say that their values are secret.
    pub(crate) fn new(variables: &[(String, String)]) -> Self {
        let secret = variables.iter().filter(|(name, _)| is_secret_name(name));
        // A value of several lines may be printed line by line.
        let lines =
            secret.flat_map(|(_, value)| std::iter::once(value.as_str()).chain(value.lines()));
        let mut known: Vec<_> = lines
            .map(str::trim)
            .filter(|value| value.len() >= SHORTEST_KNOWN)
            .map(str::to_owned)
            .collect();
        crate::order::sort_by(&mut known, |a, b| {
            b.len().cmp(&a.len()).then_with(|| a.cmp(b))
        });
        known.dedup();
        Self { known }
    }

    /// Returns the message without its secrets; nothing when there are none.
    pub(crate) fn message(&self, text: &str) -> Option<String> {
        let named = self.name(text);
        let keyed = keyed_rules().replace(named.as_deref().unwrap_or(text));
        keyed.or(named)
    }

    /// Returns a name without tokens that are known by their shape; nothing when there are none.
    pub(crate) fn name(&self, text: &str) -> Option<String> {
        let mut current = Cow::Borrowed(text);
        for value in &self.known {
            if current.contains(value.as_str()) {
                current = Cow::Owned(current.replace(value.as_str(), "[redacted:variable]"));
            }
        }
        if let Some(new) = token_rules().replace(&current) {
            current = Cow::Owned(new);
        }
        match current {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        }
    }
}

pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_secret = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "API_KEY",
        "APIKEY",
        "PRIVATE_KEY",
        "ACCESS_KEY",
        "CREDENTIAL",
        "WEBHOOK",
    ]
    .iter()
    .any(|word| name.contains(word));
    let is_place = ["_FILE", "_PATH", "_DIR"]
        .iter()
        .any(|end| name.ends_with(end));
    (is_secret || name.ends_with("_KEY") || name.ends_with("_PAT")) && !is_place
}

/// Rules joined into one expression, so that a text without secrets is read once.
struct Rules {
    shapes: &'static [Shape],
    ignore_case: bool,
    all: OnceLock<Regex>,
}

/// A text longer than this is worth the expressions at once.
const SCREENED: usize = 64 * 1024;

impl Rules {
    const fn new(shapes: &'static [Shape], ignore_case: bool) -> Self {
        Self {
            shapes,
            ignore_case,
            all: OnceLock::new(),
        }
    }

    fn all(&self) -> &Regex {
        self.all.get_or_init(|| {
            let mut pattern = String::new();
            for (position, shape) in self.shapes.iter().enumerate() {
                if position > 0 {
                    pattern.push('|');
                }
                let own = shape
                    .pattern
                    .replace("(?P<secret>", &format!("(?P<s{position}>"))
                    .replace("(?P<quoted>", &format!("(?P<q{position}>"));
                pattern.push_str(&format!("(?P<r{position}>{own})"));
            }
            Regex::new(&pattern).expect("the rules are constants, and a test compiles them")
        })
    }

    /// Whether a text has what a match needs.
    fn may_match(&self, text: &str) -> bool {
        // Two letters beyond ASCII are `s` and `k` to expressions that ignore case.
        let is_beyond = |text: &str| !text.is_ascii() && text.contains(['ſ', '\u{212a}']);
        if text.len() > SCREENED || (self.ignore_case && is_beyond(text)) {
            return true;
        }
        let text = if self.ignore_case {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        let mut needs = self.shapes.iter().flat_map(|shape| shape.needs);
        needs.any(|need| memchr::memmem::find(text.as_bytes(), need.as_bytes()).is_some())
    }

    fn replace(&self, text: &str) -> Option<String> {
        if !self.may_match(text) || !self.all().is_match(text) {
            return None;
        }
        let replaced = self
            .all()
            .replace_all(text, |found: &Captures<'_>| self.mask(found));
        Some(replaced.into_owned())
    }

    fn mask(&self, found: &Captures<'_>) -> String {
        let whole = found.get_match();
        for (position, Shape { name, .. }) in self.shapes.iter().enumerate() {
            if found.name(&format!("r{position}")).is_none() {
                continue;
            }
            let mask = format!("[redacted:{name}]");
            let part = found
                .name(&format!("s{position}"))
                .or_else(|| found.name(&format!("q{position}")));
            return match part {
                Some(part) => {
                    let before = part.start() - whole.start();
                    let after = part.end() - whole.start();
                    let text = whole.as_str();
                    // What is already masked stays as it is.
                    if text[before..after].starts_with("[redacted:") {
                        return text.to_owned();
                    }
                    format!("{}{mask}{}", &text[..before], &text[after..])
                }
                None => mask,
            };
        }
        whole.as_str().to_owned()
    }
}

fn token_rules() -> &'static Rules {
    static RULES: Rules = Rules::new(TOKENS, false);
    &RULES
}

fn keyed_rules() -> &'static Rules {
    static RULES: Rules = Rules::new(KEYED, true);
    &RULES
}

#[cfg(test)]
mod tests;
