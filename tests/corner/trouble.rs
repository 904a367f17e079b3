//! Resources that fail, panic, take long, put off, or lie.

use std::time::Duration;

use invenioils::plugin::{
    Call, DeferReason, Diag, Diags, Found, Plan, Resource, Saved, Schema, Timeouts, Value, int,
    text, timeouts,
};
use serde::{Deserialize, Serialize};

/// Fails or panics where it is told to.
pub struct Trouble;

#[derive(Clone, Serialize, Deserialize)]
pub struct TroubleModel {
    id: Value<String>,
    when: Value<String>,
    note: Value<String>,
}

impl TroubleModel {
    fn is(&self, what: &str) -> bool {
        self.when.known().is_some_and(|when| when == what)
    }
}

fn failed() -> Diags {
    Diag::error("failed as it was told to").at("when").into()
}

impl Resource for Trouble {
    type Model = TroubleModel;

    fn name(&self) -> &'static str {
        "corner_trouble"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Trouble.")
            .attr("id", text().keep().doc("Its id."))
            .attr("when", text().required().doc("What goes wrong, and where."))
            .attr(
                "note",
                text().optional().computed().doc("Unknown until the end."),
            )
    }

    fn validate(&self, config: &TroubleModel, diags: &mut Diags) {
        if config.is("panic in validate") {
            panic!("told to panic in validate");
        }
        if config.is("warn in validate") {
            diags.push(
                Diag::warning("a warning")
                    .detail("Only a warning.")
                    .at("when"),
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<'_, TroubleModel>) -> Result<(), Diags> {
        if plan.config.is("panic in plan") {
            panic!("told to panic in plan");
        }
        if plan.config.is("fail in plan") {
            return Err(failed());
        }
        Ok(())
    }

    async fn create(
        &self,
        call: &Call<'_, TroubleModel>,
        saved: &mut Saved<TroubleModel>,
    ) -> Result<(), Diags> {
        if call.planned.is("fail at once") {
            return Err(failed());
        }
        let mut made = call.planned.clone();
        made.id = "half-made".into();
        saved.put(made.clone());
        if call.planned.is("fail half way") {
            return Err(failed());
        }
        if call.planned.is("panic half way") {
            panic!("told to panic in create");
        }
        made.note = Value::Known(made.note.known_or("made".to_owned()));
        saved.put(made);
        Ok(())
    }

    async fn read(
        &self,
        _: &Call<'_, TroubleModel>,
        saved: &mut Saved<TroubleModel>,
    ) -> Result<Found, Diags> {
        match saved.get() {
            Some(model) if model.is("panic in read") => panic!("told to panic in read"),
            Some(model) if model.is("gone") => Ok(Found::Gone),
            _ => Ok(Found::Here),
        }
    }

    async fn update(
        &self,
        call: &Call<'_, TroubleModel>,
        saved: &mut Saved<TroubleModel>,
    ) -> Result<(), Diags> {
        self.create(call, saved).await
    }

    async fn delete(
        &self,
        call: &Call<'_, TroubleModel>,
        saved: &mut Saved<TroubleModel>,
    ) -> Result<(), Diags> {
        if call.planned.is("fail in delete") {
            return Err(failed());
        }
        saved.clear();
        Ok(())
    }
}

/// Takes its time, and stops where it is when it is told to.
pub struct Slow;

#[derive(Clone, Serialize, Deserialize)]
pub struct SlowModel {
    id: Value<String>,
    seconds: Value<i64>,
    done: Value<i64>,
    timeouts: Value<Timeouts>,
}

impl Resource for Slow {
    type Model = SlowModel;

    fn name(&self) -> &'static str {
        "corner_slow"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Slowness.")
            .attr("id", text().keep().doc("Its id."))
            .attr("seconds", int().required().doc("How long it takes."))
            .attr("done", int().computed().doc("How long it took."))
            .attr("timeouts", timeouts(&[("create", "1m"), ("update", "1m")]))
    }

    async fn create(
        &self,
        call: &Call<'_, SlowModel>,
        saved: &mut Saved<SlowModel>,
    ) -> Result<(), Diags> {
        let mut made = call.planned.clone();
        made.id = "slow".into();
        saved.put(made.clone());
        tracing::info!("slow begins");
        let seconds = made.seconds.known().copied().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())) => {}
            () = tokio::time::sleep_until(call.deadline.into()) => {
                return Err(Diag::error("out of time").detail("`timeouts` says how long it may take.").into());
            }
            () = call.stop.cancelled() => {
                return Err(Diag::error("stopped: the creation was interrupted").into());
            }
        }
        made.done = seconds.into();
        saved.put(made);
        Ok(())
    }

    async fn read(
        &self,
        _: &Call<'_, SlowModel>,
        _: &mut Saved<SlowModel>,
    ) -> Result<Found, Diags> {
        Ok(Found::Here)
    }

    async fn update(
        &self,
        call: &Call<'_, SlowModel>,
        saved: &mut Saved<SlowModel>,
    ) -> Result<(), Diags> {
        self.create(call, saved).await
    }

    async fn delete(
        &self,
        _: &Call<'_, SlowModel>,
        saved: &mut Saved<SlowModel>,
    ) -> Result<(), Diags> {
        saved.clear();
        Ok(())
    }
}

/// Puts its plan off where Terraform can.
pub struct Deferring;

#[derive(Clone, Serialize, Deserialize)]
pub struct DeferringModel {
    wait: Value<bool>,
}

impl Resource for Deferring {
    type Model = DeferringModel;

    fn name(&self) -> &'static str {
        "corner_deferring"
    }

    fn schema(&self) -> Schema {
        let wait = invenioils::plugin::boolean()
            .optional()
            .doc("Whether something is still missing.");
        Schema::new(0, "Something that needs another first.").attr("wait", wait)
    }

    async fn plan(&self, plan: &mut Plan<'_, DeferringModel>) -> Result<(), Diags> {
        if plan.config.wait == Value::Known(true) && !plan.defer(DeferReason::AbsentPrerequisite) {
            return Err(Diag::error("not yet")
                .detail("Something is missing, and this Terraform cannot wait.")
                .into());
        }
        Ok(())
    }

    async fn create(
        &self,
        call: &Call<'_, DeferringModel>,
        saved: &mut Saved<DeferringModel>,
    ) -> Result<(), Diags> {
        saved.put(call.planned.clone());
        Ok(())
    }

    async fn read(
        &self,
        _: &Call<'_, DeferringModel>,
        _: &mut Saved<DeferringModel>,
    ) -> Result<Found, Diags> {
        Ok(Found::Here)
    }

    async fn update(
        &self,
        call: &Call<'_, DeferringModel>,
        saved: &mut Saved<DeferringModel>,
    ) -> Result<(), Diags> {
        saved.put(call.planned.clone());
        Ok(())
    }

    async fn delete(
        &self,
        _: &Call<'_, DeferringModel>,
        saved: &mut Saved<DeferringModel>,
    ) -> Result<(), Diags> {
        saved.clear();
        Ok(())
    }
}

/// Breaks a rule of Terraform on purpose: the runtime must notice before Terraform does.
pub struct Liar;

#[derive(Clone, Serialize, Deserialize)]
pub struct LiarModel {
    id: Value<String>,
    rule: Value<String>,
    list: Value<Vec<Value<String>>>,
    secret_wo: Value<String>,
    computed: Value<String>,
}

impl LiarModel {
    fn breaks(&self, rule: &str) -> bool {
        self.rule.known().is_some_and(|wanted| wanted == rule)
    }
}

impl Resource for Liar {
    type Model = LiarModel;

    fn name(&self) -> &'static str {
        "corner_liar"
    }

    fn schema(&self) -> Schema {
        let list = invenioils::plugin::list(invenioils::plugin::Type::String);
        Schema::new(0, "Lies.")
            .attr("id", text().keep().doc("Its id."))
            .attr("rule", text().required().doc("The rule to break."))
            .attr("list", list.optional().doc("Some texts."))
            .attr("secret_wo", text().optional().write_only().doc("A secret."))
            .attr("computed", text().computed().doc("Something."))
    }

    async fn plan(&self, plan: &mut Plan<'_, LiarModel>) -> Result<(), Diags> {
        let rule = plan.config.rule.known().map_or("", String::as_str);
        match rule {
            "P2" => plan.planned.rule = "another".into(),
            "P3" => plan.planned.list = vec![Value::Known("made up".to_owned())].into(),
            "P5" => plan.planned.secret_wo = "kept".into(),
            "P9" => plan.replace("nowhere"),
            _ => {}
        }
        Ok(())
    }

    async fn create(
        &self,
        call: &Call<'_, LiarModel>,
        saved: &mut Saved<LiarModel>,
    ) -> Result<(), Diags> {
        let mut made = call.planned.clone();
        made.id = "liar".into();
        made.computed = "c".into();
        if made.breaks("A8") {
            return Ok(());
        }
        if made.breaks("A1") {
            made.list = vec![Value::Known("other".to_owned())].into();
        }
        if made.breaks("A2") {
            made.computed = Value::Unknown;
        }
        if made.breaks("A3") {
            made.list = Value::Null;
        }
        if made.breaks("A4") {
            made.list = vec![Value::Known("a".to_owned()), Value::Known("b".to_owned())].into();
        }
        if made.breaks("A7") {
            made.secret_wo = "kept".into();
        }
        saved.put(made);
        Ok(())
    }

    async fn read(
        &self,
        _: &Call<'_, LiarModel>,
        saved: &mut Saved<LiarModel>,
    ) -> Result<Found, Diags> {
        if let Some(model) = saved.get_mut() {
            if model.breaks("R1") {
                model.computed = Value::Unknown;
            }
            if model.breaks("R1 write-only") {
                model.secret_wo = "kept".into();
            }
        }
        Ok(Found::Here)
    }

    async fn update(
        &self,
        call: &Call<'_, LiarModel>,
        saved: &mut Saved<LiarModel>,
    ) -> Result<(), Diags> {
        self.create(call, saved).await
    }

    async fn delete(
        &self,
        call: &Call<'_, LiarModel>,
        saved: &mut Saved<LiarModel>,
    ) -> Result<(), Diags> {
        if !call.planned.breaks("A8 delete") {
            saved.clear();
        }
        Ok(())
    }
}
