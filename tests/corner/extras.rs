//! Data sources, an ephemeral resource, functions and an action.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use invenioils::plugin::{
    Action, Ask, Context, DataSource, Diag, Diags, Dynamic, EphemeralResource, Function,
    FunctionError, Number, Opened, Parameter, Private, Progress, Schema, Signature, Type, Value,
    boolean, dynamic, int, text,
};
use serde::{Deserialize, Serialize};

use super::store::Store;

/// Says what it was told.
pub struct Echo;

#[derive(Clone, Serialize, Deserialize)]
pub struct EchoModel {
    value: Value<Dynamic>,
    greeting: Value<String>,
    text: Value<String>,
}

impl DataSource for Echo {
    type Model = EchoModel;

    fn name(&self) -> &'static str {
        "corner_echo"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "An echo.")
            .attr("value", dynamic().optional().doc("Anything."))
            .attr("greeting", text().default("hello").doc("How to begin."))
            .attr("text", text().computed().doc("What was heard."))
    }

    fn validate(&self, config: &EchoModel, diags: &mut Diags) {
        if config.greeting.known().is_some_and(String::is_empty) {
            diags.push(Diag::error("a greeting cannot be empty").at("greeting"));
        }
    }

    async fn read(&self, ask: &Ask<'_, EchoModel>) -> Result<EchoModel, Diags> {
        let mut heard = ask.config.clone();
        let value = heard
            .value
            .known()
            .map_or(serde_json::Value::Null, Dynamic::to_json);
        let greeting = heard.greeting.known().cloned().unwrap_or_default();
        heard.text = format!("{greeting} {value}").into();
        Ok(heard)
    }
}

/// Takes long, and heeds a stop or does not.
pub struct SlowData;

#[derive(Clone, Serialize, Deserialize)]
pub struct SlowDataModel {
    seconds: Value<i64>,
    heeds_stop: Value<bool>,
    result: Value<String>,
}

impl DataSource for SlowData {
    type Model = SlowDataModel;

    fn name(&self) -> &'static str {
        "corner_slow"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Slowness.")
            .attr("seconds", int().required().doc("How long it takes."))
            .attr(
                "heeds_stop",
                boolean().required().doc("Whether it listens."),
            )
            .attr("result", text().computed().doc("What came of it."))
    }

    async fn read(&self, ask: &Ask<'_, SlowDataModel>) -> Result<SlowDataModel, Diags> {
        tracing::info!("slow begins");
        let seconds = ask.config.seconds.known().copied().unwrap_or_default();
        let heeds = ask.config.heeds_stop == Value::Known(true);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())) => {}
            () = ask.stop.cancelled(), if heeds => {
                return Err(Diag::error("stopped").into());
            }
        }
        Ok(SlowDataModel {
            result: "done".into(),
            ..ask.config.clone()
        })
    }
}

/// A token that must be renewed, and given back.
pub struct Token(pub Arc<Store>);

#[derive(Clone, Serialize, Deserialize)]
pub struct TokenModel {
    user: Value<String>,
    renews: Value<bool>,
    token: Value<String>,
}

impl EphemeralResource for Token {
    type Model = TokenModel;

    fn name(&self) -> &'static str {
        "corner_token"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "A token.")
            .attr("user", text().required().doc("Whose."))
            .attr(
                "renews",
                boolean().default(false).doc("Whether it must be renewed."),
            )
            .attr("token", text().computed().sensitive().doc("The token."))
    }

    async fn open(&self, ask: &Ask<'_, TokenModel>) -> Result<Opened<TokenModel>, Diags> {
        let user = ask.config.user.known().cloned().unwrap_or_default();
        if user.is_empty() {
            return Err(Diag::error("nobody has no token").at("user").into());
        }
        self.0.note(&format!("open {user}"));
        let renews = ask.config.renews == Value::Known(true);
        let mut opened = Opened::new(TokenModel {
            token: format!("token-of-{user}").into(),
            ..ask.config.clone()
        });
        opened.private.set("user", user);
        Ok(if renews {
            opened.renew_in(Duration::from_secs(1))
        } else {
            opened
        })
    }

    async fn renew(&self, private: &mut Private, _: &Context) -> Result<Option<SystemTime>, Diags> {
        let user = String::from_utf8_lossy(private.get("user").unwrap_or_default()).into_owned();
        self.0.note(&format!("renew {user}"));
        private.set("user", format!("{user}+"));
        Ok(Some(SystemTime::now() + Duration::from_secs(60)))
    }

    async fn close(&self, private: &Private, _: &Context) -> Result<(), Diags> {
        let user = String::from_utf8_lossy(private.get("user").unwrap_or_default()).into_owned();
        self.0.note(&format!("close {user}"));
        Ok(())
    }
}

/// Any number of texts.
pub struct Join;

impl Function for Join {
    type Args = (String, Vec<String>);
    type Output = String;

    fn name(&self) -> &'static str {
        "join"
    }

    fn signature(&self) -> Signature {
        Signature::new("Joins texts.", Type::String)
            .parameter(Parameter::new(
                "separator",
                Type::String,
                "What stands between.",
            ))
            .variadic(Parameter::new("texts", Type::String, "The texts."))
    }

    fn call(&self, (separator, texts): Self::Args) -> Result<String, FunctionError> {
        if texts.iter().any(|text| text == "bad") {
            let at = texts
                .iter()
                .position(|text| text == "bad")
                .unwrap_or_default();
            return Err(FunctionError::new("a bad text").argument(at + 1));
        }
        Ok(texts.join(&separator))
    }
}

/// Tells what it was given, null and unknown included.
pub struct Describe;

impl Function for Describe {
    type Args = (Value<Dynamic>,);
    type Output = BTreeMap<String, Value<String>>;

    fn name(&self) -> &'static str {
        "describe"
    }

    fn signature(&self) -> Signature {
        Signature::new("Describes a value.", Type::map(Type::String)).parameter(
            Parameter::new("value", Type::Dynamic, "Anything.")
                .nullable()
                .unknowable(),
        )
    }

    fn call(&self, (value,): Self::Args) -> Result<Self::Output, FunctionError> {
        let kind = match &value {
            Value::Null => "null",
            Value::Unknown => "unknown",
            Value::Known(value) if value.is_null() => "null",
            Value::Known(value) if value.is_unknown() => "unknown",
            Value::Known(_) => "known",
        };
        let json = value.known().map(|value| value.to_json().to_string());
        Ok(BTreeMap::from([
            ("kind".to_owned(), kind.into()),
            ("json".to_owned(), json.into()),
        ]))
    }
}

/// Fails where mathematics does.
pub struct Divide;

impl Function for Divide {
    type Args = (i64, i64);
    type Output = Number;

    fn name(&self) -> &'static str {
        "divide"
    }

    fn signature(&self) -> Signature {
        Signature::new("Divides.", Type::Number)
            .parameter(Parameter::new("by_this", Type::Number, "The upper one."))
            .parameter(Parameter::new("that", Type::Number, "The lower one."))
    }

    fn call(&self, (upper, lower): Self::Args) -> Result<Number, FunctionError> {
        match upper.checked_div(lower) {
            Some(result) => Ok(result.into()),
            None => Err(FunctionError::new("nothing can be divided by zero").argument(1)),
        }
    }
}

/// Takes nothing.
pub struct Nothing;

impl Function for Nothing {
    type Args = ();
    type Output = bool;

    fn name(&self) -> &'static str {
        "nothing"
    }

    fn signature(&self) -> Signature {
        Signature::new("Takes nothing.", Type::Bool)
    }

    fn call(&self, (): ()) -> Result<bool, FunctionError> {
        Ok(true)
    }
}

/// Rings a bell a number of times.
pub struct Ring(pub Arc<Store>);

#[derive(Clone, Serialize, Deserialize)]
pub struct RingModel {
    times: Value<i64>,
}

impl Action for Ring {
    type Model = RingModel;

    fn name(&self) -> &'static str {
        "corner_ring"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Rings.").attr("times", int().default(1).range(0..=10).doc("How often."))
    }

    async fn plan(&self, ask: &Ask<'_, RingModel>) -> Result<(), Diags> {
        if ask.config.times == Value::Known(9) {
            return Err(Diag::error("nine times is too often").at("times").into());
        }
        Ok(())
    }

    async fn invoke(&self, ask: &Ask<'_, RingModel>, progress: &Progress) -> Result<(), Diags> {
        for count in 1..=ask.config.times.known().copied().unwrap_or_default() {
            if count == 8 {
                return Err(Diag::error("the bell has broken").into());
            }
            self.0.note("ring");
            progress.say(format!("ring {count}")).await;
        }
        Ok(())
    }
}
