//! Rotation of the master key: what the one before has sealed is sealed anew, some rows at a time.
//! Which rows are done shows in the rows themselves, so that a rotation that is cut off goes on by
//! being started again, beside servers that run with both keys.

use super::{StorageError, Store};
use crate::seal::Place;
use sqlx::{AssertSqlSafe, Row};

/// How many rows one unit of work takes.
const BATCH: i64 = 200;

/// A column whose values are sealed under the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    table: &'static str,
    /// The column with the row's key, which is text.
    key: &'static str,
    name: &'static str,
}

const fn column(table: &'static str, key: &'static str, name: &'static str) -> Column {
    Column { table, key, name }
}

/// Every such column; whoever adds one adds it here. A test knows every column of bytes there is.
const COLUMNS: [Column; 16] = [
    column("data_keys", "enrolment", "wrapped"),
    column("identities", "id", "sealed"),
    column("evidence", "enrolment", "sealed"),
    column("outbox", "id", "sealed"),
    column("inbox", "id", "sealed"),
    column("profiles", "identity", "sealed"),
    column("authenticators", "id", "pin"),
    column("officers", "name", "sealed"),
    column("rulings", "id", "sealed"),
    column("p_codes", "id", "sealed"),
    column("log_ins", "id", "sealed"),
    column("log_ins", "id", "network"),
    column("personal_numbers", "identity", "sealed"),
    column("activities", "id", "sealed"),
    column("code_devices", "id", "seed"),
    column("passwords", "identity", "sealed"),
];

impl Column {
    /// Row key and value of the rows after `$1`, at most `$2`.
    fn read(self) -> AssertSqlSafe<String> {
        let Self { table, key, name } = self;
        AssertSqlSafe(format!(
            "SELECT {key} AS id, {name} AS value FROM {table}
             WHERE {key} > $1 AND {name} IS NOT NULL ORDER BY {key} LIMIT $2"
        ))
    }

    /// Sets the value of `$2` to `$1` if it is still `$3`.
    fn write(self) -> AssertSqlSafe<String> {
        let Self { table, key, name } = self;
        AssertSqlSafe(format!("UPDATE {table} SET {name} = $1 WHERE {key} = $2 AND {name} = $3"))
    }
}

/// What a pass over all tables found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Values looked at.
    pub seen: u64,
    /// Values that were sealed under the key before, and now are under the one of now.
    pub changed: u64,
}

impl Store {
    /// Seals anew what the master key before has sealed.
    ///
    /// # Errors
    /// [`StorageError::Seal`] for a value that neither key has sealed; what was done stays done.
    pub async fn rewrap(&self) -> Result<Rewrapped, StorageError> {
        let mut found = Rewrapped::default();
        for column in COLUMNS {
            let mut after = String::new();
            while let Some(last) = self.rewrap_batch(column, &after, &mut found).await? {
                after = last;
            }
        }
        self.empty_log().await?;
        Ok(found)
    }

    /// The next rows of a column. Returns the last one's key, or nothing at the end.
    async fn rewrap_batch(
        &self,
        column: Column,
        after: &str,
        found: &mut Rewrapped,
    ) -> Result<Option<String>, StorageError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(column.read())
            .bind(after.to_owned())
            .bind(BATCH)
            .fetch_all(&mut *tx.inner)
            .await?;
        let mut last = None;
        for row in rows {
            let (id, sealed): (String, Vec<u8>) = (row.try_get("id")?, row.try_get("value")?);
            let place = Place { table: column.table, row: &id, column: column.name };
            let anew = self.keys.master().rewrap(self.entropy.as_ref(), place, &sealed)?;
            found.seen += 1;
            if let Some(anew) = anew {
                // A row that was erased or written meanwhile is left as it is now.
                let written = sqlx::query(column.write())
                    .bind(anew)
                    .bind(id.clone())
                    .bind(sealed)
                    .execute(&mut *tx.inner)
                    .await?;
                found.changed += written.rows_affected();
            }
            last = Some(id);
        }
        tx.commit().await?;
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::COLUMNS;
    use crate::clock::SystemEntropy;
    use crate::ids::{
        AuthenticatorId, CodeDeviceId, EnrolmentId, IdentityId, LogInId, PCodeId, RulingId,
    };
    use crate::keys::{KeyRing, Protection, begin_master_rotation, end_master_rotation};
    use crate::storage::{
        AuthenticatorRow, Dialect, Evidence, Identity, LogInRow, OfficerRow, Opens, PCodeRow,
        PersonalNumber, Rewrapped, RulingRow, StorageError, Store, Tx,
    };
    use enroll_core::activation::Authenticator;
    use enroll_core::code_device::Kind;
    use enroll_core::officer::Account;
    use enroll_core::p_code::Issued;
    use enroll_core::policy::Activation;
    use enroll_core::totp::{Algorithm, Seed};
    use serde_json::json;
    use sqlx::Row;
    use std::path::Path;
    use std::sync::Arc;
    use time::OffsetDateTime;
    use time::macros::datetime;
    use zeroize::Zeroizing;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    /// Columns of bytes that the master key has nothing to do with: hashes, public keys, and what is
    /// sealed under the key of an enrolment.
    const OTHERS: [(&str, &str); 26] = [
        ("authenticators", "public_key"),
        ("booking_references", "hash"),
        ("client_assertions", "hash"),
        ("code_device_blocks", "hash"),
        ("desk_sessions", "hash"),
        ("documents", "hash"),
        ("documents", "person_hash"),
        ("enrolments", "token_hash"),
        ("identities", "person_hash"),
        ("identity_blocks", "hash"),
        ("log_ins", "browser"),
        ("log_ins", "code"),
        ("log_ins", "request"),
        ("log_ins", "switch"),
        ("log_ins", "token"),
        ("log_ins", "user_hash"),
        ("my_sessions", "hash"),
        ("officer_sessions", "hash"),
        ("p_codes", "hash"),
        ("p_codes", "person_hash"),
        ("passes", "hash"),
        ("pick_ups", "code"),
        ("pick_ups", "owner"),
        ("profiles", "user_id_hash"),
        ("sealed", "bytes"),
        ("tickets", "hash"),
    ];

    fn ring(dir: &Path) -> Arc<KeyRing> {
        Arc::new(KeyRing::open(dir, None, &SystemEntropy).unwrap())
    }

    /// What lies in the rows, one value in each column but the first.
    struct Kept {
        /// Enough for three batches.
        enrolments: Vec<EnrolmentId>,
        identity: IdentityId,
        app: AuthenticatorId,
        device: CodeDeviceId,
    }

    fn seed() -> Seed {
        Seed::new(Algorithm::Sha1, Zeroizing::new(vec![5; 20])).unwrap()
    }

    async fn filled(store: &Store) -> Kept {
        let mut enrolments = Vec::new();
        let mut tx = store.begin().await.unwrap();
        for _ in 0..450 {
            let enrolment = crate::storage::tests::enrolment();
            tx.insert_enrolment(&enrolment).await.unwrap();
            enrolments.push(enrolment.id);
        }
        let (enrolment, id) = (enrolments[0], IdentityId::random(&SystemEntropy).unwrap());
        tx.put(enrolment, "cpr", b"0101900000").await.unwrap();
        let record = Zeroizing::new(b"an identity".to_vec());
        let person = tx.keyed_hash("person", b"0101900000").unwrap();
        let identity = Identity { id, enrolment, record };
        tx.put_identity(&identity, &person, NOW).await.unwrap();
        let record = Zeroizing::new(b"evidence".to_vec());
        tx.put_evidence(&Evidence { enrolment, identity: id, record }, NOW).await.unwrap();
        tx.send("sms", b"a message", NOW).await.unwrap();
        tx.put_notice(id, b"a notice", NOW).await.unwrap();
        tx.add_activity(id, ("means", b"an activity"), NOW).await.unwrap();
        // The second has neither chosen a user ID nor a PIN: there is nothing to seal anew.
        let mut profile = tx.hold_profile(id).await.unwrap();
        profile.details.user_id = Some("anna".to_owned());
        tx.save_profile(&profile).await.unwrap();
        let [app, _] = [app(&mut tx, id).await, app(&mut tx, id).await];
        tx.put_pin(app, b"a hash").await.unwrap();
        let secrets = Zeroizing::new(b"secrets".to_vec());
        let (name, account) = ("bc-17".to_owned(), Account::default());
        let role = crate::storage::Role::Borgercenter;
        let officer = OfficerRow { name: name.clone(), role, account, secrets, created: NOW };
        assert!(tx.add_officer(&officer).await.unwrap());
        let ruling = RulingRow {
            id: RulingId::random(&SystemEntropy).unwrap(),
            enrolment: Some(enrolment),
            identity: Some(id),
            officer: name,
            witness: None,
            payload: Zeroizing::new(b"a reason".to_vec()),
            at: NOW,
        };
        tx.add_ruling(&ruling).await.unwrap();
        let state = Issued::Used { at: NOW };
        let subject = Zeroizing::new(b"somebody".to_vec());
        let code = PCodeRow { id: PCodeId::random(&SystemEntropy).unwrap(), state, subject };
        assert!(tx.add_p_code(&[9; 32], (&code, &person), ("bc-17", NOW)).await.unwrap());
        let number = PersonalNumber { cpr: Some("0101900000".to_owned()), protected: false };
        tx.put_number(id, &number).await.unwrap();
        log_in(&mut tx).await;
        let device = code_device(&mut tx, id).await;
        tx.commit().await.unwrap();
        Kept { enrolments, identity: id, app, device }
    }

    async fn code_device(tx: &mut Tx, identity: IdentityId) -> CodeDeviceId {
        let id = CodeDeviceId::random(&SystemEntropy).unwrap();
        assert!(tx.add_code_device((id, "KV-0001", Kind::Display), &seed(), NOW).await.unwrap());
        tx.put_password(identity, (b"another hash", "m=64,t=1,p=1")).await.unwrap();
        id
    }

    async fn log_in(tx: &mut Tx) {
        let party = json!({
            "client_id": "netbank", "name": "Netbanken", "organisation": "Banken", "sector": "private",
            "redirect_uris": [], "post_logout_redirect_uris": [], "backchannel_logout_uri": null,
            "auth": { "method": "client_secret_post", "secret_sha256": "" }, "scopes": ["openid"],
            "ciba": true,
        });
        let party = serde_json::from_value(party).unwrap();
        assert!(tx.add_relying_party(&party, NOW).await.unwrap());
        let request = json!({
            "issuer": "https://i", "to": { "to": "poll" }, "scopes": ["openid"], "nonce": null,
            "level": "Low", "action": "LOG_ON", "text": "a text",
        });
        let row = LogInRow {
            id: LogInId::random(&SystemEntropy).unwrap(),
            client_id: "netbank".to_owned(),
            user_hash: None,
            request: serde_json::from_value(request).unwrap(),
            state: crate::oidc::LogIn::Pushed,
            expires: NOW,
            network: None,
        };
        tx.insert_log_in(&row, &[7; 32], NOW).await.unwrap();
        tx.place_log_in(row.id, "203.0.0.0/16").await.unwrap();
    }

    async fn app(tx: &mut Tx, identity: IdentityId) -> AuthenticatorId {
        let id = AuthenticatorId::random(&SystemEntropy).unwrap();
        let state = Authenticator::copied(&Activation::default(), NOW);
        let (public_key, challenge) = (vec![4; 65], String::new());
        let row = AuthenticatorRow { id, identity, public_key, challenge, state, created: NOW };
        tx.insert_authenticator(&row).await.unwrap();
        id
    }

    /// Everything opens, and who was known is still found.
    async fn check(store: &Store, kept: &Kept) {
        let mut tx = store.begin().await.unwrap();
        for id in &kept.enrolments {
            tx.get(*id, "cpr").await.unwrap();
        }
        let person = tx.keyed_hash("person", b"0101900000").unwrap();
        assert_eq!(tx.identity_of(&person).await.unwrap(), Some(kept.identity));
        let identity = tx.identity(kept.identity).await.unwrap().unwrap();
        assert_eq!(identity.record.as_slice(), b"an identity");
        let evidence = tx.evidence(kept.identity).await.unwrap();
        assert_eq!(evidence[0].record.as_slice(), b"evidence");
        check_told(&mut tx, kept.identity).await;
        let profile = tx.hold_profile(kept.identity).await.unwrap();
        assert_eq!(profile.details.user_id.as_deref(), Some("anna"));
        assert_eq!(tx.pin(kept.app).await.unwrap().unwrap().as_slice(), b"a hash");
        let officer = tx.hold_officer("bc-17").await.unwrap().unwrap();
        assert_eq!(officer.secrets.as_slice(), b"secrets");
        let rulings = tx.rulings(kept.enrolments[0]).await.unwrap();
        assert_eq!(rulings[0].payload.as_slice(), b"a reason");
        let code = tx.hold_p_code(&[9; 32]).await.unwrap().unwrap();
        assert_eq!(code.subject.as_slice(), b"somebody");
        check_log_in(&mut tx, kept).await;
        let claimed = tx.claim("sms", 9, (NOW, NOW)).await.unwrap();
        let payload = claimed[0].payload.as_ref().unwrap();
        assert_eq!((claimed.len(), payload.as_slice()), (1, b"a message".as_slice()));
    }

    async fn check_device(tx: &mut Tx, kept: &Kept) {
        let found = tx.seed(kept.device).await.unwrap().unwrap();
        assert_eq!(found.expose(), seed().expose());
        let password = tx.password(kept.identity).await.unwrap().unwrap();
        assert_eq!(password.hash.as_slice(), b"another hash");
    }

    async fn check_told(tx: &mut Tx, identity: IdentityId) {
        let notices = tx.notices(identity, 9).await.unwrap();
        assert_eq!(notices[0].payload.as_slice(), b"a notice");
        let activities = tx.activities(identity, None, None, 9).await.unwrap();
        assert_eq!(activities[0].payload.as_slice(), b"an activity");
    }

    async fn check_log_in(tx: &mut Tx, kept: &Kept) {
        check_device(tx, kept).await;
        let number = tx.number(kept.identity).await.unwrap().unwrap();
        assert_eq!(number.cpr.as_deref(), Some("0101900000"));
        let log_in = tx.find_log_in(Opens::Request, &[7; 32]).await.unwrap().unwrap();
        assert_eq!(log_in.request.text.as_deref(), Some("a text"));
        assert_eq!(log_in.network.as_deref(), Some("203.0.0.0/16"));
    }

    /// Another identity cannot choose the same user ID: its hash is still the one there is.
    async fn check_taken(store: &Store, kept: &Kept) {
        let mut tx = store.begin().await.unwrap();
        let (enrolment, id) = (kept.enrolments[1], IdentityId::random(&SystemEntropy).unwrap());
        let record = Zeroizing::new(Vec::new());
        tx.put_identity(&Identity { id, enrolment, record }, &[1; 32], NOW).await.unwrap();
        let mut profile = tx.hold_profile(id).await.unwrap();
        profile.details.user_id = Some("anna".to_owned());
        assert!(matches!(tx.save_profile(&profile).await, Err(StorageError::Taken)));
    }

    #[tokio::test]
    async fn a_rotation_goes_on_where_it_was_cut_off_and_the_old_key_is_of_no_use_then() {
        // proves H5 (rotation of the master key)
        for fresh in testing::all().await {
            let (dir, store) = (fresh.keys_dir(), &fresh.store);
            let kept = filled(store).await;
            let before = std::fs::read_to_string(dir.join("master.key")).unwrap();
            begin_master_rotation(&dir, &Protection::default(), &SystemEntropy).unwrap();
            let store = store.with_keys(ring(&dir));
            // One batch, and then the power fails.
            let mut found = Rewrapped::default();
            store.rewrap_batch(COLUMNS[0], "", &mut found).await.unwrap();
            assert_eq!(found, Rewrapped { seen: 200, changed: 200 });
            check(&store, &kept).await;
            begin_master_rotation(&dir, &Protection::default(), &SystemEntropy).unwrap();
            let store = store.with_keys(ring(&dir));
            assert_eq!(store.rewrap().await.unwrap(), Rewrapped { seen: 465, changed: 265 });
            assert_eq!(store.rewrap().await.unwrap(), Rewrapped { seen: 465, changed: 0 });
            end_master_rotation(&dir).unwrap();

            let store = store.with_keys(ring(&dir));
            check(&store, &kept).await;
            check_taken(&store, &kept).await;
            std::fs::write(dir.join("master.key"), before).unwrap();
            assert!(KeyRing::open(&dir, None, &SystemEntropy).is_err(), "the old key still opens");
        }
    }

    #[tokio::test]
    async fn every_column_of_bytes_is_known() {
        // proves H5 (no value is left under a key that is destroyed)
        for fresh in testing::all().await {
            let query = match fresh.store.dialect {
                Dialect::Sqlite => {
                    "SELECT t.name AS tab, c.name AS col
                     FROM sqlite_master t JOIN pragma_table_info(t.name) c
                     WHERE t.type = 'table' AND c.type = 'BLOB'"
                }
                Dialect::Postgres => {
                    "SELECT CAST(table_name AS TEXT) AS tab, CAST(column_name AS TEXT) AS col
                     FROM information_schema.columns
                     WHERE table_schema = 'public' AND data_type = 'bytea'"
                }
            };
            let mut tx = fresh.store.begin().await.unwrap();
            let rows = sqlx::query(query).fetch_all(&mut *tx.inner).await.unwrap();
            let mut found: Vec<(String, String)> =
                rows.iter().map(|row| (row.get("tab"), row.get("col"))).collect();
            found.retain(|(table, _)| table != "_sqlx_migrations");
            let listed = COLUMNS.iter().map(|column| (column.table, column.name)).chain(OTHERS);
            let mut known: Vec<(String, String)> =
                listed.map(|(table, name)| (table.to_owned(), name.to_owned())).collect();
            found.sort();
            known.sort();
            assert_eq!(found, known, "sealed under the master key, or not?");
        }
    }
}
