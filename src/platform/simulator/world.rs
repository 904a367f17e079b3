//! The simulated cloud itself: rows that come, change and go. Enforces quotas, addresses and what is in use; knows marks
//! as columns and nothing of what they are for.

use super::clock::{Millis, NEVER};
use ipnet::Ipv4Net;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// An object as the cloud shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub id: String,
    pub kind: String,
    pub thing: String,
    pub step: String,
    pub name: String,
    pub address: Option<String>,
    pub fields: Map<String, Value>,
    pub spec: Value,
    pub ready_at: Millis,
    pub broken_at: Option<Millis>,
    pub gone_at: Option<Millis>,
}

/// What a new object is to be.
pub struct Order<'a> {
    pub region: &'a str,
    pub kind: &'a str,
    pub thing: &'a str,
    pub step: &'a str,
    pub name: String,
    pub fields: &'a Map<String, Value>,
    pub spec: &'a Value,
    pub uses: &'a [String],
    pub takes: &'a [(&'static str, u64)],
    pub limits: &'a BTreeMap<String, u64>,
    pub pool: Option<Ipv4Net>,
    pub secret: Option<&'a str>,
    pub now: Millis,
    pub ready_at: Millis,
    pub broken_at: Option<Millis>,
}

/// Why the cloud says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Quota {
        quota: String,
        limit: u64,
        used: u64,
        asked: u64,
    },
    NoAddress(Ipv4Net),
    /// What it is to be made on is not there.
    NoSuch(String),
    /// The id of one that stands on it.
    InUse(String),
}

const COLUMNS: &str =
    "id, kind, thing, step, name, address, fields, spec, ready_at, broken_at, gone_at";

fn shown(row: &Row<'_>) -> rusqlite::Result<Shown> {
    let json = |index: usize| -> rusqlite::Result<Value> {
        let text: String = row.get(index)?;
        serde_json::from_str(&text).map_err(|why| {
            rusqlite::Error::FromSqlConversionFailure(
                index,
                rusqlite::types::Type::Text,
                why.into(),
            )
        })
    };
    Ok(Shown {
        id: row.get(0)?,
        kind: row.get(1)?,
        thing: row.get(2)?,
        step: row.get(3)?,
        name: row.get(4)?,
        address: row.get(5)?,
        fields: match json(6)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        },
        spec: json(7)?,
        ready_at: row.get(8)?,
        broken_at: row.get(9)?,
        gone_at: row.get(10)?,
    })
}

pub fn by_id(db: &Connection, id: &str, now: Millis) -> rusqlite::Result<Option<Shown>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM objects WHERE id = ?1 AND (gone_at IS NULL OR gone_at > ?2)"
    );
    db.prepare_cached(&sql)?
        .query_row(params![id, now], shown)
        .optional()
}

/// The first one made that bears the mark.
pub fn by_mark(
    db: &Connection,
    region: &str,
    thing: &str,
    step: &str,
    now: Millis,
) -> rusqlite::Result<Option<Shown>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM objects WHERE region = ?1 AND thing = ?2 AND step = ?3 AND (gone_at IS NULL OR gone_at > ?4)
         ORDER BY gone_at IS NOT NULL, number LIMIT 1"
    );
    db.prepare_cached(&sql)?
        .query_row(params![region, thing, step, now], shown)
        .optional()
}

/// All objects of a thing, or of everything, in the order in which they were made.
pub fn all(
    db: &Connection,
    region: &str,
    thing: Option<&str>,
    now: Millis,
) -> rusqlite::Result<Vec<Shown>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM objects WHERE region = ?1 AND (?2 IS NULL OR thing = ?2) AND (gone_at IS NULL OR gone_at > ?3)
         ORDER BY number"
    );
    db.prepare_cached(&sql)?
        .query_map(params![region, thing, now], shown)?
        .collect()
}

/// The contents of all objects of one kind.
pub fn of_kind(
    db: &Connection,
    region: &str,
    kind: &str,
    now: Millis,
) -> rusqlite::Result<Vec<Shown>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM objects WHERE region = ?1 AND kind = ?2 AND (gone_at IS NULL OR gone_at > ?3) ORDER BY number"
    );
    db.prepare_cached(&sql)?
        .query_map(params![region, kind, now], shown)?
        .collect()
}

pub fn used_of(db: &Connection, region: &str, quota: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(sum(amount), 0) FROM takes JOIN objects ON id = object WHERE region = ?1 AND quota = ?2";
    db.prepare_cached(sql)?
        .query_row(params![region, quota], |row| row.get(0))
}

/// The id and the address of the new object.
pub fn create(
    tx: &Transaction<'_>,
    order: &Order<'_>,
) -> rusqlite::Result<Result<(String, Option<String>), Refusal>> {
    sweep(tx, order.now)?;
    for used in order.uses {
        if by_id(tx, used, order.now)?.is_none() {
            return Ok(Err(Refusal::NoSuch(used.clone())));
        }
    }
    if let Some(refusal) = exceeded(tx, order.region, order.takes, order.limits, None)? {
        return Ok(Err(refusal));
    }
    let address = match order.pool {
        None => None,
        Some(pool) => match free_address(tx, pool, &format!("{}/{}", order.thing, order.step))? {
            Some(address) => Some(address.to_string()),
            None => return Ok(Err(Refusal::NoAddress(pool))),
        },
    };
    tx.prepare_cached(
        "INSERT INTO objects (id, region, kind, thing, step, name, address, fields, spec, made_at, ready_at, broken_at)
         VALUES ('', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        order.region,
        order.kind,
        order.thing,
        order.step,
        order.name,
        address,
        Value::Object(order.fields.clone()).to_string(),
        order.spec.to_string(),
        order.now,
        order.ready_at,
        order.broken_at,
    ])?;
    let number = tx.last_insert_rowid();
    let id = format!("{}-{number:05}", order.kind);
    tx.prepare_cached("UPDATE objects SET id = ?1 WHERE number = ?2")?
        .execute(params![id, number])?;
    attach(tx, &id, order.uses, order.takes, order.secret)?;
    Ok(Ok((id, address)))
}

/// Changes an object. False: there is none.
pub fn update(
    tx: &Transaction<'_>,
    id: &str,
    order: &Order<'_>,
) -> rusqlite::Result<Result<bool, Refusal>> {
    sweep(tx, order.now)?;
    if by_id(tx, id, order.now)?.is_none() {
        return Ok(Ok(false));
    }
    if let Some(refusal) = exceeded(tx, order.region, order.takes, order.limits, Some(id))? {
        return Ok(Err(refusal));
    }
    tx.prepare_cached("UPDATE objects SET name = ?2, fields = ?3, spec = ?4, ready_at = ?5, broken_at = ?6 WHERE id = ?1")?.execute(
        params![id, order.name, Value::Object(order.fields.clone()).to_string(), order.spec.to_string(), order.ready_at, order.broken_at],
    )?;
    tx.prepare_cached("DELETE FROM uses WHERE object = ?1")?
        .execute([id])?;
    tx.prepare_cached("DELETE FROM takes WHERE object = ?1")?
        .execute([id])?;
    attach(tx, id, order.uses, order.takes, order.secret)?;
    Ok(Ok(true))
}

/// Lets an object go; it is gone at that moment.
pub fn delete(
    tx: &Transaction<'_>,
    id: &str,
    now: Millis,
    gone_at: Millis,
) -> rusqlite::Result<Result<(), Refusal>> {
    sweep(tx, now)?;
    // Secret stores do not know who reads what they keep.
    let sql = "SELECT object FROM uses JOIN objects ON objects.id = used WHERE used = ?1 AND kind <> 'secret' LIMIT 1";
    let user = tx
        .prepare_cached(sql)?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if let Some(user) = user {
        return Ok(Err(Refusal::InUse(user)));
    }
    tx.prepare_cached("UPDATE objects SET gone_at = min(coalesce(gone_at, ?3), ?2) WHERE id = ?1")?
        .execute(params![id, gone_at, NEVER])?;
    sweep(tx, now)?;
    Ok(Ok(()))
}

/// Counts a met fault; how often it was met before.
pub fn met(tx: &Transaction<'_>, fault: &str) -> rusqlite::Result<u32> {
    let sql = "INSERT INTO faults (fault, met) VALUES (?1, 1) ON CONFLICT (fault) DO UPDATE SET met = met + 1 RETURNING met - 1";
    tx.prepare_cached(sql)?.query_row([fault], |row| row.get(0))
}

fn attach(
    tx: &Transaction<'_>,
    id: &str,
    uses: &[String],
    takes: &[(&'static str, u64)],
    secret: Option<&str>,
) -> rusqlite::Result<()> {
    for used in uses {
        tx.prepare_cached("INSERT OR IGNORE INTO uses (object, used) VALUES (?1, ?2)")?
            .execute([id, used])?;
    }
    for (quota, amount) in takes {
        tx.prepare_cached("INSERT INTO takes (object, quota, amount) VALUES (?1, ?2, ?3)")?
            .execute(params![id, quota, amount])?;
    }
    if let Some(secret) = secret {
        tx.prepare_cached("INSERT INTO secrets (object, value) VALUES (?1, ?2) ON CONFLICT (object) DO UPDATE SET value = excluded.value")?
            .execute([id, secret])?;
    }
    Ok(())
}

/// Forgets what is gone by now.
fn sweep(tx: &Transaction<'_>, now: Millis) -> rusqlite::Result<()> {
    let mut gone = tx.prepare_cached("SELECT id FROM objects WHERE gone_at <= ?1")?;
    let ids: Vec<String> = gone
        .query_map([now], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        for sql in [
            "DELETE FROM uses WHERE object = ?1",
            "DELETE FROM takes WHERE object = ?1",
            "DELETE FROM secrets WHERE object = ?1",
            "DELETE FROM objects WHERE id = ?1",
        ] {
            tx.prepare_cached(sql)?.execute([&id])?;
        }
    }
    Ok(())
}

fn exceeded(
    tx: &Transaction<'_>,
    region: &str,
    takes: &[(&'static str, u64)],
    limits: &BTreeMap<String, u64>,
    except: Option<&str>,
) -> rusqlite::Result<Option<Refusal>> {
    for (quota, asked) in takes {
        let Some(limit) = limits.get(*quota) else {
            continue;
        };
        let own: u64 = tx
            .prepare_cached(
                "SELECT coalesce(sum(amount), 0) FROM takes WHERE object = ?1 AND quota = ?2",
            )?
            .query_row(params![except, quota], |row| row.get(0))?;
        let used = used_of(tx, region, quota)?.saturating_sub(own);
        // What an object has already, it may keep.
        if *asked > own && used + asked > *limit {
            return Ok(Some(Refusal::Quota {
                quota: (*quota).to_owned(),
                limit: *limit,
                used,
                asked: *asked,
            }));
        }
    }
    Ok(None)
}

/// An address in the pool that nobody has: by the mark, so that the same plan gets the same addresses.
fn free_address(
    tx: &Transaction<'_>,
    pool: Ipv4Net,
    mark: &str,
) -> rusqlite::Result<Option<Ipv4Addr>> {
    let (network, size) = (
        u32::from(pool.network()),
        1_u32
            .checked_shl(32 - u32::from(pool.prefix_len()))
            .unwrap_or(u32::MAX),
    );
    // The first ten are the network's own, the last is broadcast.
    let low = 10.min(size / 4);
    let usable = size.saturating_sub(low + 1);
    if usable == 0 {
        return Ok(None);
    }
    let digest = Sha256::digest(mark.as_bytes());
    let start = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % usable;
    let mut taken = tx.prepare_cached("SELECT 1 FROM objects WHERE address = ?1")?;
    for offset in 0..usable {
        let address = Ipv4Addr::from(network + low + (start + offset) % usable);
        if !taken.exists([address.to_string()])? {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// Sets a field as if another program had done it.
pub fn tamper(tx: &Transaction<'_>, id: &str, field: &str, value: &Value) -> rusqlite::Result<()> {
    if let Some(mut found) = by_id(tx, id, 0)? {
        found.fields.insert(field.to_owned(), value.clone());
        tx.execute(
            "UPDATE objects SET fields = ?2 WHERE id = ?1",
            params![id, Value::Object(found.fields).to_string()],
        )?;
    }
    Ok(())
}

/// Takes an object away as if another program had done it.
pub fn destroy(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM uses WHERE used = ?1", [id])?;
    tx.execute("UPDATE objects SET gone_at = 0 WHERE id = ?1", [id])?;
    sweep(tx, 1)
}

/// What is stuck goes on, as if an operator had mended it; what is broken too, if it is of one of these kinds.
pub fn recover(tx: &Transaction<'_>, now: Millis, mended: &[&str]) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE objects SET ready_at = ?1 WHERE ready_at = ?2 AND broken_at IS NULL",
        [now, NEVER],
    )?;
    tx.execute(
        "UPDATE objects SET gone_at = ?1 WHERE gone_at = ?2",
        [now, NEVER],
    )?;
    for kind in mended {
        tx.execute("UPDATE objects SET ready_at = ?1, broken_at = NULL WHERE kind = ?2 AND broken_at IS NOT NULL", params![now, kind])?;
    }
    sweep(tx, now)
}
