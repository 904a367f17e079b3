//! Which level the user asked for.

use tracing::level_filters::LevelFilter;

/// The level for a provider by the variables that Terraform documents; the most specific one that is set counts. Nothing set:
/// only errors, which Terraform drops unless somebody listens. As in Terraform, a word that is no level means everything.
pub fn from_environment(
    provider_name: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> LevelFilter {
    let own = format!(
        "TF_LOG_PROVIDER_{}",
        provider_name.to_uppercase().replace('-', "_")
    );
    [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .filter_map(variable)
        .find(|word| !word.is_empty())
        .map_or(LevelFilter::ERROR, |word| parse(&word))
}

fn parse(word: &str) -> LevelFilter {
    match word.to_ascii_uppercase().as_str() {
        "OFF" | "NONE" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_variable_counts() {
        let level = |set: &[(&str, &str)]| {
            from_environment("invenioils", |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, word)| (*word).to_owned())
            })
        };
        assert_eq!(level(&[]), LevelFilter::ERROR);
        assert_eq!(level(&[("TF_LOG", "debug")]), LevelFilter::DEBUG);
        assert_eq!(level(&[("TF_LOG", "JSON")]), LevelFilter::TRACE);
        let both = [("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")];
        assert_eq!(level(&both), LevelFilter::WARN);
        let own = [
            ("TF_LOG_PROVIDER", "WARN"),
            ("TF_LOG_PROVIDER_INVENIOILS", "off"),
        ];
        assert_eq!(level(&own), LevelFilter::OFF);
    }
}
