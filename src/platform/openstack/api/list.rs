//! Whole lists, page after page. Knows how each service says that there is more.

use super::{Api, service::Service};
use crate::engine::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Api {
    /// Every item of a list, page after page.
    pub async fn list<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        key: &str,
        microversion: Option<&'static str>,
    ) -> Result<Vec<T>> {
        let what = key.replace('_', " ");
        let base = path.split('?').next().unwrap_or(path).to_owned();
        let mut path = path.to_owned();
        let mut items = Vec::new();
        loop {
            let mut call = self.get(service, path, format!("list {what}"));
            call.microversion = microversion;
            let mut page = call.json_answer().await?;
            let Value::Array(found) = page[key].take() else {
                return Err(Error::fatal(
                    format!("list {what}"),
                    format!("{}'s answer has no `{key}`", service.project()),
                ));
            };
            let empty = found.is_empty();
            for item in found {
                let item = serde_json::from_value(item);
                items.push(item.map_err(|why| {
                    Error::fatal(
                        format!("list {what}"),
                        format!("an item cannot be read: {why}"),
                    )
                })?);
            }
            match next_page(&page, key).filter(|_| !empty) {
                Some(query) => path = format!("{base}?{query}"),
                None => return Ok(items),
            }
        }
    }
}

/// The query of the next page. Its host and path are ours to know: behind proxies they are often wrong.
fn next_page(page: &Value, key: &str) -> Option<String> {
    let links = page.get(format!("{key}_links")).and_then(Value::as_array);
    let in_links = links
        .and_then(|links| links.iter().find(|link| link["rel"] == "next"))
        .and_then(|link| link["href"].as_str());
    let href = in_links
        .or_else(|| page["next"].as_str())
        .or_else(|| page["links"]["next"].as_str())?;
    href.split_once('?').map(|(_, query)| query.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_service_s_next_page_is_found() {
        let links = json!({ "networks": [], "networks_links": [{ "rel": "previous", "href": "http://x/?a=1" }, { "rel": "next", "href": "http://x/v2.0/networks?limit=2&marker=3" }] });
        assert_eq!(
            next_page(&links, "networks").as_deref(),
            Some("limit=2&marker=3")
        );
        let glance = json!({ "images": [], "next": "/v2/images?marker=7" });
        assert_eq!(next_page(&glance, "images").as_deref(), Some("marker=7"));
        let designate = json!({ "zones": [], "links": { "self": "x", "next": "http://wrong-host/v2/zones?marker=9" } });
        assert_eq!(next_page(&designate, "zones").as_deref(), Some("marker=9"));
        assert_eq!(
            next_page(&json!({ "zones": [], "links": { "self": "x" } }), "zones"),
            None
        );
    }
}
