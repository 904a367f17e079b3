//! Which of several sources wins.

use super::*;

fn env<'a>(pairs: &'a [(&'a str, String)]) -> impl Fn(&str) -> Option<String> + Sync + 'a {
    move |key| {
        pairs
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.clone())
    }
}
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let clouds = folder.path().join("clouds.yaml");
    std::fs::write(
            &clouds,
            "clouds:\n  library:\n    auth: {auth_url: 'https://keys:5000/v3/', username: u, project_name: p, user_domain_name: D}\n    region_name: R1\n    verify: false\n    network_endpoint_override: https://net:9696\n  other:\n    auth_type: v3applicationcredential\n    auth: {auth_url: 'https://keys:5000', application_credential_id: a}\n",
        )
        .unwrap();
    std::fs::write(
            folder.path().join("secure.yaml"),
            "clouds:\n  library: {auth: {password: hidden}}\n  other: {auth: {application_credential_secret: s}}\n",
        )
        .unwrap();
    let path = clouds.display().to_string();
    (folder, path)
}

#[test]
fn a_cloud_of_the_file_is_completed_by_the_secure_file() {
    let (_folder, path) = folder();
    let env_pairs = [
        ("OS_CLIENT_CONFIG_FILE", path),
        ("OS_CLOUD", "library".into()),
        ("OS_PASSWORD", "not me".into()),
    ];
    let login = Settings::default()
        .resolve(&env(&env_pairs))
        .map_err(|e| e.to_string())
        .unwrap();
    assert_eq!(login.auth_url, "https://keys:5000/v3");
    assert!(login.insecure);
    assert_eq!(login.region.as_deref(), Some("R1"));
    assert_eq!(login.endpoint_overrides["network"], "https://net:9696");
    let Credential::Password { user, password } = &login.credential else {
        panic!("a password login")
    };
    assert_eq!(
        *user,
        Named::Name {
            name: "u".into(),
            domain: Domain::Name("D".into())
        }
    );
    assert_eq!(password.expose(), "hidden");
    assert_eq!(
        login.scope,
        Some(Named::Name {
            name: "p".into(),
            domain: Domain::Id("default".into())
        })
    );
}

#[test]
fn what_the_provider_block_says_wins() {
    let (_folder, path) = folder();
    let env_pairs = [
        ("OS_CLIENT_CONFIG_FILE", path),
        ("OS_REGION_NAME", "R9".into()),
    ];
    let settings = Settings {
        cloud: Some("library".into()),
        region: Some("R2".into()),
        insecure: Some(false),
        project_name: Some("mine".into()),
        ..Settings::default()
    };
    let login = settings
        .resolve(&env(&env_pairs))
        .map_err(|e| e.to_string())
        .unwrap();
    assert_eq!(login.region.as_deref(), Some("R2"));
    assert!(!login.insecure);
    assert!(matches!(login.scope, Some(Named::Name { name, .. }) if name == "mine"));
}

#[test]
fn an_application_credential_has_no_scope() {
    let (_folder, path) = folder();
    let env_pairs = [("OS_CLIENT_CONFIG_FILE", path)];
    let settings = Settings {
        cloud: Some("other".into()),
        ..Settings::default()
    };
    let login = settings
        .resolve(&env(&env_pairs))
        .map_err(|e| e.to_string())
        .unwrap();
    assert!(login.scope.is_none());
    assert!(matches!(login.credential, Credential::Application { id: Some(id), .. } if id == "a"));
}

#[test]
fn an_unknown_cloud_is_refused_with_the_names_that_exist() {
    let (_folder, path) = folder();
    let env_pairs = [("OS_CLIENT_CONFIG_FILE", path)];
    let settings = Settings {
        cloud: Some("nowhere".into()),
        ..Settings::default()
    };
    let Err(error) = settings.resolve(&env(&env_pairs)) else {
        panic!("there is no such cloud")
    };
    assert_eq!(error.at.as_deref(), Some("openstack.cloud"));
    assert!(error.to_string().contains("library"), "{error}");
}

#[test]
fn variables_alone_are_enough() {
    let env_pairs = [
        ("OS_AUTH_URL", "http://keys:5000/v3".to_owned()),
        ("OS_USERNAME", "u".into()),
        ("OS_PASSWORD", "p".into()),
        ("OS_PROJECT_ID", "1234".into()),
        ("OS_INTERFACE", "internalURL".into()),
        ("HOME", "/nonexistent".into()),
    ];
    let login = Settings::default()
        .resolve(&env(&env_pairs))
        .map_err(|e| e.to_string())
        .unwrap();
    assert_eq!(login.interface, "internal");
    assert_eq!(login.scope, Some(Named::Id("1234".into())));
}

#[test]
fn a_user_without_a_password_is_told_so() {
    let settings = Settings {
        auth_url: Some("http://keys:5000".into()),
        username: Some("u".into()),
        project_name: Some("p".into()),
        ..Settings::default()
    };
    let Err(error) = settings.resolve(&|_| None) else {
        panic!("no password is known")
    };
    assert_eq!(error.at.as_deref(), Some("openstack.password"));
}
