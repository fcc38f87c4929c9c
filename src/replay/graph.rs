//! A service graph as JSON: `{"edges":[{"caller":…, "callee":…}]}`, or the same lists by name:
//! `{"edges":{"NAME":[…]}}`. Other keys are ignored; no edges are an empty graph.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::Topology;

/// Two forms of one thing. Written by programs, so that the place of a mistake matters less than in rule files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Edges {
    List(Vec<Edge>),
    Named(BTreeMap<String, Vec<Edge>>),
}

#[derive(Deserialize)]
struct Edge {
    caller: String,
    callee: String,
}

/// A text that is no service graph.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is no service graph: {0}; write it as {{\"edges\":[{{\"caller\":\"web\",\"callee\":\"db\"}}]}} or with the \
     lists by name: {{\"edges\":{{\"calls\":[…]}}}}"
)]
pub struct GraphError(#[from] serde_json::Error);

/// Reads a service graph.
///
/// # Errors
/// When the text is no JSON, or its `edges` have none of the two forms.
pub fn read(json: &[u8]) -> Result<Topology, GraphError> {
    // A map first: a derived struct would also be read from a bare list.
    let keys: BTreeMap<String, &RawValue> = serde_json::from_slice(json)?;
    let edges = keys.get("edges").map(|edges| serde_json::from_str::<Option<Edges>>(edges.get())).transpose()?;
    let edges = match edges.flatten() {
        None => Vec::new(),
        Some(Edges::List(edges)) => edges,
        Some(Edges::Named(lists)) => lists.into_values().flatten().collect(),
    };
    Ok(Topology::new(edges.into_iter().map(|edge| (edge.caller, edge.callee))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(json: &str) -> Vec<(String, String)> {
        let graph = read(json.as_bytes()).unwrap();
        graph.edges().map(|(caller, callee)| (caller.to_owned(), callee.to_owned())).collect()
    }

    #[test]
    fn both_forms_are_read_and_other_keys_ignored() {
        let one = edges(r#"{"hosts":{},"edges":[{"caller":"web","callee":"db","weight":1}]}"#);
        let other = edges(r#"{"edges":{"calls":[{"caller":"web","callee":"db"}],"none":[]}}"#);
        assert_eq!(one, [("web".to_owned(), "db".to_owned())]);
        assert_eq!(other, one);
        assert!(edges(r#"{"services":[]}"#).is_empty());
    }

    #[test]
    fn what_is_no_graph_says_how_to_write_one() {
        for wrong in ["[", "[]", r#"{"edges":"web"}"#, r#"{"edges":[{"caller":"web"}]}"#] {
            assert!(read(wrong.as_bytes()).unwrap_err().to_string().contains("write it as"), "{wrong}");
        }
    }
}
