//! Just enough of HTTP/1.1.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::{ENTERPRISE, Fault, Store, routes};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) target: String,
    /// Without query and without the prefix of an enterprise server.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![(
                "content-type".into(),
                "application/json; charset=utf-8".into(),
            )],
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

pub(super) fn serve(stream: &TcpStream, port: u16, store: &Mutex<Store>) {
    let Ok(cloned) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(cloned);
    while let Some(asked) = read(&mut reader) {
        let mut answer;
        let fault;
        {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            store.asked.push(format!("{} {}", asked.method, asked.path));
            let mut faults = store.faults.take();
            fault = faults.as_mut().and_then(|faults| faults(&asked));
            store.faults = faults;
            answer = match &fault {
                Some(Fault::Instead(answer)) => answer.clone(),
                _ => routes::answer(&mut store, port, &asked),
            };
        }
        let whole = answer.clone();
        match &fault {
            Some(Fault::After(other)) => answer = other.clone(),
            Some(Fault::CutJson) => answer.body.truncate(answer.body.len() / 2),
            Some(Fault::Slow(seconds)) => std::thread::sleep(Duration::from_secs(*seconds)),
            _ => {}
        }
        // The storage of archives is not GitHub's API.
        if !asked.path.starts_with("/storage/") {
            write_down(port, &asked, &whole, fault.is_some());
        }
        if matches!(fault, Some(Fault::Reset)) {
            let _cut = stream.shutdown(Shutdown::Both);
            return;
        }
        let is_torn = matches!(fault, Some(Fault::Torn));
        if send(stream, &answer, is_torn).is_err() || is_torn {
            let _cut = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

pub(crate) fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Some(Asked {
        path: decode(path.strip_prefix(ENTERPRISE).unwrap_or(path)),
        query: query
            .map(|(name, value)| (decode(name), decode(value)))
            .collect(),
        method,
        headers,
        body: (length > 0).then(|| serde_json::from_slice(&body).unwrap()),
        target,
    })
}

fn send(mut stream: &TcpStream, answer: &Answer, is_torn: bool) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} X\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = if is_torn {
        &answer.body[..answer.body.len() / 2]
    } else {
        &answer.body
    };
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

/// Writes an exchange down for `.ci/interop forge`; of one that went wrong only the request counts.
fn write_down(port: u16, asked: &Asked, answer: &Answer, is_fault: bool) {
    let Some(folder) = std::env::var_os("MAESTRO_EXCHANGES") else {
        return;
    };
    let headers: BTreeMap<&str, &str> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut request_headers = asked.headers.clone();
    request_headers.remove("authorization");
    let line = json!({
        "test": std::thread::current().name().unwrap_or("fake"),
        "method": asked.method, "url": asked.target, "request_headers": request_headers,
        "request_body": asked.body.as_ref().map(Value::to_string),
        "status": answer.status, "response_headers": headers,
        "response_body": String::from_utf8_lossy(&answer.body), "fault": is_fault,
    });
    let kind = if asked.target.starts_with(ENTERPRISE) {
        "ghes"
    } else {
        "api"
    };
    let path =
        std::path::Path::new(&folder).join(format!("{kind}-{}-{port}.jsonl", std::process::id()));
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
