//! The subscriber's side: which events are written, and what the spans around them add.

use std::fmt::{Debug, Write as _};
use std::io::Write;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::line::Record;

/// Writes events as lines to whatever `open` opens.
pub struct Layer<F> {
    level: LevelFilter,
    module: String,
    own_targets: [String; 2],
    open: F,
}

impl<F> Layer<F> {
    pub fn new(provider_name: &str, level: LevelFilter, open: F) -> Self {
        let own_crate = module_path!().split("::").next().unwrap_or_default();
        Self {
            level,
            module: format!("provider.{provider_name}"),
            own_targets: [own_crate.to_owned(), provider_name.replace('-', "_")],
            open,
        }
    }

    /// Libraries log headers and frames at their lower levels, and with them secrets that nobody registered. Below a warning
    /// only the provider itself is heard.
    fn wants(&self, event: &Metadata<'_>) -> bool {
        let root = event.target().split("::").next().unwrap_or_default();
        let ours = self.own_targets.iter().any(|own| own == root);
        *event.level() <= self.level && (ours || *event.level() <= Level::WARN)
    }
}

impl<S, F, W> tracing_subscriber::Layer<S> for Layer<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Fn() -> W + 'static,
    W: Write,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // A span costs little, and an error inside wants to know which request it was.
        metadata.is_span() && self.level != LevelFilter::OFF || self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Request spans are of level INFO.
        let spans = if self.level == LevelFilter::OFF {
            LevelFilter::OFF
        } else {
            LevelFilter::INFO
        };
        Some(self.level.max(spans))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut around = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                fields
                    .named
                    .iter()
                    .for_each(|(key, value)| around.put(key, value.clone()));
            }
        }
        // A field of the event counts more than one of the same name around it.
        around
            .named
            .retain(|(key, _)| !own.named.iter().any(|(own, _)| own == key));
        let record = Record {
            level: *event.metadata().level(),
            module: &self.module,
            time: chrono::Utc::now(),
            message: own.message,
            context: around.named,
            fields: own.named,
        };
        let mut out = (self.open)();
        for line in record.lines() {
            // Nobody may be listening any more; that must not end a request.
            let _ = out.write_all(line.as_bytes());
        }
    }
}

/// The fields of a span or an event as text.
#[derive(Default)]
struct Fields {
    message: String,
    named: Vec<(&'static str, String)>,
}

impl Fields {
    fn put(&mut self, key: &'static str, value: String) {
        match self.named.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None if key.starts_with('@') || value.is_empty() => {}
            None => self.named.push((key, value)),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.put(field.name(), value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.put(field.name(), format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Pad(Arc<Mutex<Vec<u8>>>);

    impl Write for Pad {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, what: impl FnOnce()) -> Vec<serde_json::Value> {
        let pad = Pad::default();
        let kept = pad.clone();
        let layer = Layer::new("probe", level, move || pad.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), what);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_carries_what_the_spans_around_it_say() {
        let lines = logged(LevelFilter::DEBUG, || {
            let request = crate::plugin::log::request_span("ReadResource", "probe_thing");
            let _in = request.enter();
            tracing::debug!(count = 3, name = "web", "looked");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["@level"], "debug");
        assert_eq!(lines[0]["@module"], "provider.probe");
        assert_eq!(lines[0]["@message"], "looked");
        assert_eq!(lines[0]["tf_rpc"], "ReadResource");
        assert_eq!(lines[0]["tf_resource_type"], "probe_thing");
        assert!(lines[0]["tf_req_id"].as_str().unwrap().len() > 12);
        assert_eq!(lines[0]["count"], "3");
        assert_eq!(lines[0]["name"], "web");
    }

    #[test]
    fn an_error_knows_its_request_even_when_only_errors_are_written() {
        let lines = logged(LevelFilter::ERROR, || {
            let request = crate::plugin::log::request_span("ReadResource", "");
            let _in = request.enter();
            tracing::warn!("not wanted");
            tracing::error!("wanted");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["tf_rpc"], "ReadResource");
    }

    #[test]
    fn libraries_are_not_heard_below_a_warning() {
        let lines = logged(LevelFilter::TRACE, || {
            tracing::trace!(target: "h2::codec", "send frame=Headers(authorization: canary)");
            tracing::info!(target: "hyper::client", "connected");
            tracing::warn!(target: "hyper::client", "odd");
            tracing::trace!("own");
        });
        let messages: Vec<_> = lines.iter().map(|line| &line["@message"]).collect();
        assert_eq!(messages, ["odd", "own"]);
    }

    #[test]
    fn off_means_off() {
        assert!(logged(LevelFilter::OFF, || tracing::error!("no")).is_empty());
    }
}
