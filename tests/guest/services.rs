//! Each kind of service in one machine: it comes up from `user_data` alone, works, and does so again after a reboot.

use super::bed::{bed, server_bundle, service_node, text};
use invenioils::site::ServiceKind;
use serde_json::json;

#[test]
fn a_database_comes_up_and_keeps_its_data_over_a_reboot_and_a_new_machine() {
    let Some(bed) = bed("a_database_comes_up") else {
        return;
    };
    let secrets = server_bundle(ServiceKind::Database);
    let mut it = service_node(
        ServiceKind::Database,
        0,
        &["10.77.0.11"],
        json!({ "max_connections": "77" }),
        &secrets,
    );
    it.document.volume = Some("0b5ce1f4-9a4d-4a52-b1a0-3f2f6c1f0001".to_owned());
    it.volume = Some(bed.volume("0b5ce1f4-9a4d-4a52-b1a0-3f2f6c1f0001"));
    bed.start(&it);
    bed.ready("database-0", 600);
    bed.sound("database-0");

    let password = text(&secrets, "password");
    let sql = |host: &str, mode: &str, statement: &str| {
        format!(
            "PGPASSWORD='{}' psql -AtX 'host={host} hostaddr=10.77.0.11 user=ils dbname=ils sslmode={mode} sslrootcert=/etc/postgresql-common/server.crt' -c \"{statement}\"",
            password.expose()
        )
    };
    let good = |statement: &str| {
        bed.shell(
            "database-0",
            &sql(
                "database-0.database.library.internal",
                "verify-full",
                statement,
            ),
        )
    };
    assert_eq!(good("show max_connections"), "77");
    good("create table loan (book text)");
    good("insert into loan values ('Momo')");
    assert!(
        bed.fails(
            "database-0",
            &sql("x.database.library.internal", "disable", "select 1")
        ),
        "plain text is refused"
    );
    assert!(
        bed.fails(
            "database-0",
            &sql("somewhere.else", "verify-full", "select 1")
        ),
        "the certificate is for its own names"
    );
    assert!(
        bed.fails(
            "database-0",
            &sql(
                "database-0.database.library.internal",
                "verify-full",
                "select 1"
            )
            .replace("user=ils", "user=postgres")
        )
    );
    assert!(
        bed.shell(
            "database-0",
            "grep -c 'postgresql' /proc/mounts; findmnt -n -o SOURCE,FSTYPE /srv/invenioils"
        )
        .contains("ext4")
    );

    bed.reboot("database-0", 180);
    assert_eq!(good("select book from loan"), "Momo");
    bed.sound("database-0");

    // another machine in its place, with the same volume
    bed.script(&["forget", "database-0"]);
    bed.start(&it);
    bed.ready("database-0", 600);
    assert_eq!(good("select book from loan"), "Momo");
}
