//! A dashboard, its panels, and both as Grafana's JSON (schema version 39, Grafana 10.4 and later).

use serde_json::{Value, json};

use super::query::Query;

/// The width of a dashboard in Grafana's grid.
const COLUMNS: u32 = 24;

/// How values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Stat,
    Gauge,
    Bars,
    Line,
    Table,
}

/// One thing that a dashboard shows.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    /// What the number is and what to do about it.
    pub(crate) words: &'static str,
    pub(crate) shape: Shape,
    pub(crate) width: u32,
    /// One of Grafana's units.
    pub(crate) unit: &'static str,
    /// From which value on it is yellow, and red.
    pub(crate) steps: Option<(f64, f64)>,
    pub(crate) queries: Vec<Query>,
}

/// A dashboard.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    pub(crate) uid: &'static str,
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// Returns a dashboard as a file.
pub(super) fn json(dashboard: &Dashboard) -> String {
    let mut panels = Vec::new();
    let (mut x, mut y, mut row) = (0, 0, 0);
    for (at, panel) in dashboard.panels.iter().enumerate() {
        let height = if panel.shape == Shape::Stat { 4 } else { 8 };
        if x + panel.width > COLUMNS {
            (x, y, row) = (0, y + row, 0);
        }
        let place = json!({ "h": height, "w": panel.width, "x": x, "y": y });
        panels.push(panel_json(panel, at + 1, &place));
        (x, row) = (x + panel.width, row.max(height));
    }
    let board = json!({
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.words,
        "tags": ["maestro"],
        "schemaVersion": 39,
        "version": 1,
        "editable": false,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "5m",
        "time": { "from": "now-30d", "to": "now" },
        "links": [{
            "type": "dashboards", "title": "maestro", "tags": ["maestro"],
            "asDropdown": true, "includeVars": true, "keepTime": true,
        }],
        "annotations": { "list": [] },
        "templating": { "list": variables() },
        "panels": panels,
    });
    format!("{board:#}\n")
}

/// Which Prometheus, and which repositories.
fn variables() -> Value {
    json!([
        {
            "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
            "current": {}, "hide": 0,
        },
        {
            "name": "repository", "label": "Repository", "type": "query",
            "datasource": data_source(),
            "definition": "label_values(maestro_export_time_seconds, vcs_repository_name)",
            "query": {
                "query": "label_values(maestro_export_time_seconds, vcs_repository_name)", "refId": "repository",
            },
            "refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".+",
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] }, "hide": 0,
        },
    ])
}

fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn panel_json(panel: &Panel, id: usize, place: &Value) -> Value {
    let (kind, options) = shape(panel.shape);
    // A line is drawn over time; all others show what holds now.
    let instant = panel.shape != Shape::Line;
    let targets: Vec<Value> = panel
        .queries
        .iter()
        .zip('A'..='Z')
        .map(|(query, letter)| {
            json!({
                "refId": letter.to_string(), "datasource": data_source(), "editorMode": "code",
                "expr": query.expression, "legendFormat": query.legend,
                "instant": instant, "range": !instant,
                "format": if panel.shape == Shape::Table { "table" } else { "time_series" },
            })
        })
        .collect();
    json!({
        "id": id,
        "type": kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": data_source(),
        "gridPos": place,
        "targets": targets,
        "options": options,
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
    })
}

fn defaults(panel: &Panel) -> Value {
    let mut steps = vec![json!({ "color": "green", "value": null })];
    if let Some((yellow, red)) = panel.steps {
        // Where less is worse the colours run the other way.
        if yellow <= red {
            steps.push(json!({ "color": "yellow", "value": yellow }));
            steps.push(json!({ "color": "red", "value": red }));
        } else {
            steps = vec![
                json!({ "color": "red", "value": null }),
                json!({ "color": "yellow", "value": red }),
                json!({ "color": "green", "value": yellow }),
            ];
        }
    }
    let mut defaults = json!({
        "unit": panel.unit,
        "noValue": "no data",
        "thresholds": { "mode": "absolute", "steps": steps },
        "color": { "mode": if panel.steps.is_some() { "thresholds" } else { "palette-classic" } },
    });
    if panel.shape == Shape::Line {
        defaults["custom"] = json!({ "spanNulls": true, "lineInterpolation": "stepAfter" });
        defaults["color"] = json!({ "mode": "palette-classic" });
    }
    if panel.unit == "percentunit" {
        defaults["min"] = json!(0);
        defaults["max"] = json!(1);
    }
    defaults
}

fn shape(shape: Shape) -> (&'static str, Value) {
    let newest = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match shape {
        Shape::Stat => (
            "stat",
            json!({ "reduceOptions": newest, "graphMode": "none", "colorMode": "value" }),
        ),
        Shape::Gauge => ("gauge", json!({ "reduceOptions": newest })),
        Shape::Bars => (
            "bargauge",
            json!({ "reduceOptions": newest, "orientation": "horizontal", "displayMode": "basic" }),
        ),
        Shape::Line => (
            "timeseries",
            json!({
                "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"] },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
        ),
        Shape::Table => ("table", json!({ "showHeader": true })),
    }
}
