//! A service of one node is given two more: what it has stays, and all of them have it.

use super::bed::{Bed, Planned, bed, server_bundle, service_node, text};
use crate::terraform::workspace::{drilled, until};
use invenioils::site::{ServiceKind, secrets::Bundle};
use serde_json::{Value, json};

const ADDRESSES: [&str; 3] = ["10.77.0.21", "10.77.0.22", "10.77.0.23"];

/// Three machines take longer than a test may.
fn three(test: &str) -> Option<Bed> {
    drilled(test).then(|| bed(test)).flatten()
}

/// The nodes as they are told when there are so many.
fn nodes(kind: ServiceKind, count: usize, settings: &Value, secrets: &Bundle) -> Vec<Planned> {
    let node = |index| service_node(kind, index, &ADDRESSES[..count], settings.clone(), secrets);
    (0..u32::try_from(count).unwrap()).map(node).collect()
}

/// Tells each machine its document anew, as a cloud's metadata would, and has it looked at.
fn tell(bed: &Bed, nodes: &[Planned]) {
    for it in nodes {
        let document = serde_json::to_string(&it.document).unwrap();
        let line = format!(
            "cat > /etc/invenioils/documents/main.json <<'END'\n{document}\nEND\nsystemctl start --no-block invenioils-converge.service"
        );
        bed.shell(&it.guest.name(), &line);
    }
}

fn each(kind: ServiceKind) -> [String; 3] {
    [0, 1, 2].map(|index| format!("{}-{index}", kind.as_str()))
}

#[test]
fn a_database_of_three_has_what_it_had_alone_and_all_have_its_settings() {
    let Some(bed) = three("a_database_of_three_has_what_it_had_alone_and_all_have_its_settings")
    else {
        return;
    };
    let kind = ServiceKind::Database;
    let secrets = server_bundle(kind);
    let told = |count, connections: &str| {
        nodes(
            kind,
            count,
            &json!({ "max_connections": connections }),
            &secrets,
        )
    };
    bed.start(&told(1, "77")[0]);
    bed.ready("database-0", 600);
    let local = |name: &str, database: &str, statement: &str| {
        bed.shell(
            name,
            &format!("su postgres -c \"psql -At -d {database} -c \\\"{statement}\\\"\""),
        )
    };
    local(
        "database-0",
        "ils",
        "set role ils; create table loan as select 'Momo' as book",
    );

    let three = told(3, "77");
    // the new ones first: they must wait for the one that has something
    bed.start(&three[1]);
    bed.start(&three[2]);
    tell(&bed, &three[..1]);
    for name in each(kind) {
        bed.ready(&name, 600);
        assert_eq!(
            local(&name, "ils", "select book from loan"),
            "Momo",
            "{name}"
        );
        assert_eq!(local(&name, "ils", "show max_connections"), "77", "{name}");
    }
    let stream = "select count(*) from pg_stat_replication";
    until(120, "two standbys", || {
        local("database-0", "ils", stream) == "2"
    });
    // people come in wherever one leads, by the password that they had
    let names = each(kind).map(|name| format!("{name}.database.library.internal"));
    let come_in = format!(
        "PGPASSWORD='{}' psql -AtX 'host={} user=ils dbname=ils target_session_attrs=read-write sslmode=verify-full sslrootcert=/etc/postgresql-common/server.crt' -c 'select book from loan'",
        text(&secrets, "password").expose(),
        names.join(",")
    );
    assert_eq!(bed.shell("database-2", &come_in), "Momo");

    tell(&bed, &told(3, "88"));
    until(180, "a setting that all must have alike", || {
        each(kind).iter().all(|name| {
            bed.shell(
                name,
                "su postgres -c \"psql -Atc 'show max_connections'\" || true",
            ) == "88"
        })
    });
    assert_eq!(local("database-1", "ils", "select book from loan"), "Momo");
    for name in each(kind) {
        bed.sound(&name);
    }
}

#[test]
fn a_queue_of_three_has_what_it_had_alone() {
    let Some(bed) = three("a_queue_of_three_has_what_it_had_alone") else {
        return;
    };
    let kind = ServiceKind::Queue;
    let secrets = server_bundle(kind);
    bed.start(&nodes(kind, 1, &json!({}), &secrets)[0]);
    bed.ready("queue-0", 600);
    let eval = |name: &str, words: &str| bed.shell(name, &format!("rabbitmqctl -q eval '{words}'"));
    let queue = "rabbit_misc:r(<<\"ils\">>, queue, <<\"kept\">>)";
    eval(
        "queue-0",
        &format!("rabbit_amqqueue:declare({queue}, true, false, [], none, <<\"ils\">>)."),
    );
    let three = nodes(kind, 3, &json!({}), &secrets);
    bed.start(&three[1]);
    bed.start(&three[2]);
    tell(&bed, &three[..1]);
    for name in each(kind) {
        let running = "length(rabbit_mnesia:cluster_nodes(running)).";
        // the first one starts again meanwhile
        let running = format!("rabbitmqctl -q eval '{running}' || true");
        until(600, "one cluster", || bed.shell(&name, &running) == "3");
        bed.ready(&name, 300);
        let listed = "rabbitmqctl -q --no-table-headers list_queues -p ils name";
        assert_eq!(bed.shell(&name, listed), "kept", "{name}");
    }
}
