//! Settings of the application that the provider makes itself: overriding one by accident would break what is built on it.

use crate::site::{Finding, Settings};

/// The provider's own settings, and the attribute to use instead. Empty: there is none, the provider alone decides.
const OWNED: &[(&str, &str)] = &[
    ("ACCOUNTS_SESSION_REDIS_URL", "services"),
    ("APP_ALLOWED_HOSTS", "additional_hostnames"),
    ("BROKER_URL", "services"),
    ("BROKER_USE_SSL", "services"),
    ("CACHE_REDIS_URL", "services"),
    ("CACHE_TYPE", "services"),
    ("CELERY_BROKER_URL", "services"),
    ("CELERY_BROKER_USE_SSL", "services"),
    ("CELERY_RESULT_BACKEND", "services"),
    ("CSRF_SECRET_SALT", ""),
    ("DEBUG", ""),
    ("DEBUG_TB_ENABLED", ""),
    ("FILES_REST_STORAGE_FACTORY", "services"),
    ("INSTANCE_PATH", ""),
    ("MAIL_DEFAULT_SENDER", "mail.sender"),
    ("MAIL_PASSWORD", "mail.password_wo"),
    ("MAIL_PORT", "mail.port"),
    ("MAIL_SERVER", "mail.host"),
    ("MAIL_SUPPRESS_SEND", "mail"),
    ("MAIL_USERNAME", "mail.username"),
    ("MAIL_USE_TLS", "mail.tls"),
    ("MAX_CONTENT_LENGTH", "load_balancer.max_body_mib"),
    ("PROXYFIX_CONFIG", ""),
    ("RATELIMIT_STORAGE_URI", "services"),
    ("RATELIMIT_STORAGE_URL", "services"),
    ("S3_ACCESS_KEY_ID", "services"),
    ("S3_ENDPOINT_URL", "services"),
    ("S3_REGION_NAME", "services"),
    ("S3_SECRET_ACCESS_KEY", "services"),
    ("SEARCH_CLIENT_CONFIG", "services"),
    ("SEARCH_ELASTIC_HOSTS", "services"),
    ("SEARCH_HOSTS", "services"),
    ("SEARCH_INDEX_PREFIX", ""),
    ("SECRET_KEY", ""),
    ("SECURITY_EMAIL_SENDER", "mail.sender"),
    ("SENTRY_DSN", "monitoring.sentry_dsn_wo"),
    ("SENTRY_ENVIRONMENT", "monitoring.sentry_environment"),
    ("SITE_API_URL", "hostname"),
    ("SITE_HOSTNAME", "hostname"),
    ("SITE_UI_URL", "hostname"),
    ("SPA_HOST", "hostname"),
    ("SQLALCHEMY_DATABASE_URI", "services"),
    ("SQLALCHEMY_ENGINE_OPTIONS", ""),
    ("SUPPORT_EMAIL", "site.support_email"),
    ("THEME_SITENAME", "site.name"),
    ("TRUSTED_HOSTS", "additional_hostnames"),
    ("WSGI_PROXIES", ""),
];

/// Names of settings that the provider makes, with the attribute that sets each.
pub fn owned_settings() -> &'static [(&'static str, &'static str)] {
    OWNED
}

pub(super) fn check(config: &Settings) -> Vec<Finding> {
    config.keys().filter_map(|key| fault(key)).collect()
}

fn fault(key: &str) -> Option<Finding> {
    let at = format!("config.{key}");
    let name = key.strip_prefix("INVENIO_").unwrap_or(key);
    let readable = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    if !readable {
        return Some(Finding::refuse(
            at,
            "Not a setting",
            format!("`{key}` is no name of a setting: upper-case letters, digits and `_`."),
        ));
    }
    if name.ends_with("_SALT") && name.starts_with("SECURITY_") {
        return Some(owned(at, key, ""));
    }
    let (_, instead) = OWNED.iter().find(|(owned, _)| *owned == name)?;
    Some(owned(at, key, instead))
}

fn owned(at: String, key: &str, instead: &str) -> Finding {
    let next = if instead.is_empty() {
        "Remove it.".to_owned()
    } else {
        format!("Use `{instead}` instead.")
    };
    Finding::refuse(
        at,
        "A setting of the provider's own",
        format!("`{key}` is made by the provider from the rest of the configuration. {next}"),
    )
}
