//! Six Grafana dashboards, made from one small model of panels, as the JSON that Grafana's provisioning reads.
//!
//! An expression is built from the table of metrics and never from a text, so that no panel asks for a metric that nobody writes. None has a value of its
//! own: where there is no data a panel is empty and says so, and does not show a zero.

mod board;
mod content;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use self::board::Dashboard;

/// A file of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns the dashboards, in the order in which they link to each other.
pub(crate) fn dashboards() -> Vec<Dashboard> {
    content::all()
}

/// Returns the dashboards as files, and what Grafana needs to find them in a folder.
pub(crate) fn files() -> Vec<File> {
    let mut files: Vec<File> = dashboards()
        .iter()
        .map(|dashboard| File {
            name: format!("dashboards/{}.json", dashboard.uid),
            text: board::json(dashboard),
        })
        .collect();
    files.push(File {
        name: "provisioning/dashboards/maestro.yaml".into(),
        text: PROVIDER.into(),
    });
    files.push(File {
        name: "provisioning/datasources/maestro.yaml".into(),
        text: DATA_SOURCE.into(),
    });
    files
}

const PROVIDER: &str = "apiVersion: 1
providers:
  - name: maestro
    folder: maestro
    type: file
    allowUiUpdates: false
    options:
      path: /var/lib/grafana/dashboards
";

const DATA_SOURCE: &str = "apiVersion: 1
datasources:
  - name: Prometheus
    uid: maestro-prometheus
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
";
