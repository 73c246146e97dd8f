//! A client of a gateway, and the gateway as a process.
#![allow(
    clippy::disallowed_methods,
    reason = "it starts processes and waits for them"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::Provider;
use crate::harness::Maestro;

/// The canary: it is found nowhere but at the provider.
pub(crate) const KEY: &str = "sk-ant-canary-0123456789abcdef";

/// Prices: input $1, output $2 a million.
pub(crate) const PRICES: &str = r#"{"schema": "maestro.prices/v1", "source": "test", "date": "2026-01-01", "currency": "USD", "providers": [
    {"id": "anthropic", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 2}}]},
    {"id": "openai", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 2}}]}]}"#;

/// What an answer of the tests costs in pico-dollars.
pub(crate) fn cost(input: u64, output: u64) -> String {
    let pico = input * 1_000_000 + output * 2_000_000;
    let text = format!(
        "{}.{:012}",
        pico / 1_000_000_000_000,
        pico % 1_000_000_000_000
    );
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A folder, a provider and the options of every gateway in it.
pub(crate) struct Site {
    pub(crate) maestro: Maestro,
    pub(crate) provider: Provider,
}

/// A gateway that serves.
pub(crate) struct Served {
    child: Child,
    pub(crate) port: u16,
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) is_whole: bool,
}

impl Came {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Site {
    pub(crate) fn new(provider: Provider) -> Self {
        let maestro = Maestro::in_repo()
            .env("ANTHROPIC_API_KEY", KEY)
            .env("OPENAI_API_KEY", KEY);
        maestro.file("prices.json", PRICES);
        Self { maestro, provider }
    }

    /// Returns the command line of a gateway.
    pub(crate) fn args(&self, more: &[&str]) -> Vec<String> {
        let mut args: Vec<String> = ["gateway", "--prices", "prices.json"]
            .map(str::to_owned)
            .to_vec();
        for name in ["anthropic", "openai"] {
            args.extend([
                "--upstream".to_owned(),
                format!("{name}={}", self.provider.address()),
            ]);
        }
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        args
    }

    /// Starts a gateway and waits until it is there.
    pub(crate) fn serve(&self, more: &[&str]) -> Served {
        let file = self.maestro.path("gateway.env");
        let _there_may_be_none = fs::remove_file(&file);
        let mut args = self.args(more);
        args.extend(["--out", "gateway.env", "--format", "json"].map(str::to_owned));
        let child = self
            .maestro
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let value = |name: &str| {
                let mut lines = text.lines();
                lines
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                    .map(str::to_owned)
            };
            if text.ends_with('\n')
                && let (Some(address), Some(token)) =
                    (value("MAESTRO_GATEWAY"), value("OPENAI_API_KEY"))
            {
                let (_, port) = address.rsplit_once(':').unwrap();
                return Served {
                    child,
                    port: port.parse().unwrap(),
                    token,
                };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the gateway did not come: {:?}", child.wait_with_output());
    }
}

impl Served {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks, and leaves the answer to be read.
    pub(crate) fn begin(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Arriving {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let mut head = format!("{line} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: 127.0.0.1:{}\r\n", self.port));
        }
        head.push_str("connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // Who is not listened to may be cut off.
        let _heard = stream.write_all(body.as_bytes());
        Arriving(BufReader::new(stream))
    }

    pub(crate) fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Came {
        self.begin(line, headers, body).whole()
    }

    /// Posts with the token.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Came {
        self.begin_post(path, body).whole()
    }

    pub(crate) fn begin_post(&self, path: &str, body: &Value) -> Arriving {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        self.begin(&format!("POST {path}"), &headers, &body.to_string())
    }

    /// Tells it to end; returns exit code and bill.
    pub(crate) fn end(self) -> (i32, Value) {
        let status = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
        assert!(status.unwrap().success());
        self.wait()
    }

    pub(crate) fn wait(self) -> (i32, Value) {
        let output = self.child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains(KEY), "{stderr}");
        let bill: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no bill: {stderr}"));
        (output.status.code().unwrap_or(-1), bill)
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// An answer that is arriving.
pub(crate) struct Arriving(BufReader<TcpStream>);

impl Arriving {
    /// Reads the head.
    pub(crate) fn head(&mut self) -> (u16, String) {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let status = head.split(' ').nth(1).unwrap_or("0");
        (status.parse().unwrap(), head.to_lowercase())
    }

    /// Reads one chunk; nothing at the end, or where it is cut off.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }

    pub(crate) fn whole(mut self) -> Came {
        let (status, head) = self.head();
        let mut body = Vec::new();
        let mut is_whole = true;
        if head.contains("transfer-encoding: chunked") {
            is_whole = false;
            while let Some(chunk) = self.chunk() {
                if chunk.is_empty() {
                    is_whole = true;
                    break;
                }
                body.extend(chunk);
            }
        } else {
            let _cut = self.0.read_to_end(&mut body);
        }
        Came {
            status,
            head,
            body,
            is_whole,
        }
    }
}

/// A request of a protocol.
pub(crate) fn request(path: &str, most: u64, streams: bool) -> Value {
    let mut body = match path {
        "/v1/messages" | "/v1/chat/completions" => {
            json!({"model": "m", "max_tokens": most, "messages": [{"role": "user", "content": "ping"}]})
        }
        _ => json!({"model": "m", "max_output_tokens": most, "input": "ping"}),
    };
    if streams {
        body["stream"] = json!(true);
    }
    body
}
