//! Each kind of service in one machine: it comes up from `user_data` alone, works, and does so again after a reboot.

use super::bed::{Bed, Planned, bed, server_bundle, service_node, text};
use invenioils::site::{ServiceKind, secrets::Bundle};
use serde_json::json;

const VOLUME: &str = "0b5ce1f4-9a4d-4a52-b1a0-3f2f6c1f0001";

fn with_volume(bed: &Bed, mut it: Planned) -> Planned {
    it.document.volume = Some(VOLUME.to_owned());
    it.volume = Some(bed.volume(VOLUME));
    it
}

fn sql(secrets: &Bundle, host: &str, mode: &str, statement: &str) -> String {
    format!(
        "PGPASSWORD='{}' psql -AtX 'host={host} hostaddr=10.77.0.11 user=ils dbname=ils sslmode={mode} \
         sslrootcert=/etc/postgresql-common/server.crt' -c \"{statement}\"",
        text(secrets, "password").expose()
    )
}

#[test]
fn a_database_keeps_its_data_over_a_reboot_and_a_new_machine() {
    let Some(bed) = bed("a_database_keeps_its_data_over_a_reboot_and_a_new_machine") else {
        return;
    };
    let secrets = server_bundle(ServiceKind::Database);
    let it = service_node(
        ServiceKind::Database,
        0,
        &["10.77.0.11"],
        json!({ "max_connections": "77" }),
        &secrets,
    );
    let it = with_volume(&bed, it);
    bed.start(&it);
    bed.ready("database-0");
    bed.sound("database-0");

    let own = "database-0.database.library.internal";
    let good =
        |statement: &str| bed.shell("database-0", &sql(&secrets, own, "verify-full", statement));
    assert_eq!(good("show max_connections"), "77");
    good("create table loan (book text)");
    good("insert into loan values ('Momo')");
    assert!(
        bed.fails("database-0", &sql(&secrets, own, "disable", "select 1")),
        "plain text is refused"
    );
    assert!(
        bed.fails(
            "database-0",
            &sql(&secrets, "somewhere.else", "verify-full", "select 1")
        ),
        "the certificate is for its own names"
    );
    assert!(
        bed.fails(
            "database-0",
            &sql(&secrets, own, "verify-full", "select 1").replace("user=ils", "user=postgres")
        ),
        "no superuser comes in"
    );
    assert!(
        bed.shell("database-0", "findmnt -n -o FSTYPE /srv/invenioils")
            .contains("ext4")
    );
    assert_eq!(
        bed.shell(
            "database-0",
            "su postgres -c 'psql -Atc \"show data_directory\"'"
        ),
        "/srv/invenioils/postgresql/15/main"
    );

    bed.reboot(&["database-0"]);
    assert_eq!(good("select book from loan"), "Momo");
    bed.sound("database-0");

    // another machine in its place, with the same volume
    bed.script(&["forget", "database-0"]);
    bed.start(&it);
    bed.ready("database-0");
    assert_eq!(good("select book from loan"), "Momo");
}

#[test]
fn cache_queue_and_storage_come_up_and_come_back() {
    let Some(bed) = bed("cache_queue_and_storage_come_up_and_come_back") else {
        return;
    };
    let cache = server_bundle(ServiceKind::Cache);
    let queue = server_bundle(ServiceKind::Queue);
    let storage = server_bundle(ServiceKind::Storage);
    bed.start(&service_node(
        ServiceKind::Cache,
        0,
        &["10.77.0.12"],
        json!({ "timeout": "7" }),
        &cache,
    ));
    bed.start(&service_node(
        ServiceKind::Queue,
        0,
        &["10.77.0.13"],
        json!({}),
        &queue,
    ));
    bed.start(&service_node(
        ServiceKind::Storage,
        0,
        &["10.77.0.14"],
        json!({}),
        &storage,
    ));
    let names = ["cache-0", "queue-0", "storage-0"];
    for name in names {
        bed.ready(name);
        bed.sound(name);
    }

    let redis = |words: &str, password: &str| {
        format!(
            "REDISCLI_AUTH='{password}' redis-cli --no-auth-warning --tls --cacert /etc/redis/server.crt --sni cache-0.cache.library.internal -h 10.77.0.12 {words}"
        )
    };
    let password = text(&cache, "password");
    assert_eq!(
        bed.shell("cache-0", &redis("set loan Momo", password.expose())),
        "OK"
    );
    assert!(
        bed.shell("cache-0", &redis("get loan", "wrong"))
            .contains("NOAUTH")
    );
    assert_eq!(
        bed.shell("cache-0", &redis("config get timeout", password.expose())),
        "timeout\n7"
    );
    assert!(
        bed.fails("cache-0", "redis-cli -h 10.77.0.12 ping | grep PONG"),
        "plain text is refused"
    );

    let amqp = "openssl s_client -connect 10.77.0.13:5671 -CAfile /etc/rabbitmq/server.crt -verify_hostname queue-0.queue.library.internal -verify_return_error </dev/null 2>&1 | grep -c 'Verify return code: 0'";
    assert_eq!(bed.shell("queue-0", amqp), "1");
    assert_eq!(
        bed.shell(
            "queue-0",
            "rabbitmqctl -q list_users | cut -f1 | tail -n +2"
        ),
        "ils"
    );
    assert!(
        bed.shell("queue-0", "rabbitmqctl -q list_vhosts")
            .contains("ils")
    );
    // nothing but what the firewall knows listens beyond the loopback
    for (name, open) in [
        ("cache-0", vec!["6379"]),
        ("queue-0", vec!["5671", "4369", "25672"]),
        ("storage-0", vec!["2049"]),
    ] {
        let sockets = bed.shell(
            name,
            "ss -H -ltn | awk '{print $4}' | grep -v -e '^127\\.' -e '^\\[::1\\]'",
        );
        let others: Vec<_> = sockets
            .lines()
            .filter(|it| {
                !it.ends_with(":22") && !open.iter().any(|port| it.ends_with(&format!(":{port}")))
            })
            .collect();
        assert!(others.is_empty(), "{name} listens on {others:?}");
    }

    bed.reboot(&names);
    for name in names {
        bed.sound(name);
    }
    assert_eq!(
        bed.shell("cache-0", &redis("get loan", password.expose())),
        "Momo"
    );
}
