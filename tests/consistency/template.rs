//! The template as data: YAML with CloudFormation's tags in their long form, every scalar as text.

use granit_parser::{Event, Parser, Tag};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// A file of the project.
pub(crate) fn file(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// YAML as JSON: `!Sub x` is `{"Fn::Sub": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`.
pub(crate) fn parse(yaml: &str) -> Value {
    let mut events = Parser::new_from_str(yaml).map(|event| event.unwrap().0);
    loop {
        let event = events.next().expect("the file holds a document");
        if event.is_node() {
            return node(event, &mut events);
        }
    }
}

fn node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Value {
    let (tag, value) = match event {
        Event::Scalar(text, _, _, tag) => (tag, Value::String(text.into_owned())),
        Event::SequenceStart(_, _, tag) => {
            let mut items = Vec::new();
            loop {
                match events.next().unwrap() {
                    Event::SequenceEnd => break,
                    event => items.push(node(event, events)),
                }
            }
            (tag, Value::Array(items))
        }
        Event::MappingStart(_, _, tag) => {
            let mut members = Map::new();
            loop {
                match events.next().unwrap() {
                    Event::MappingEnd => break,
                    event => {
                        let key = node(event, events).as_str().unwrap().to_owned();
                        let value = events.next().unwrap();
                        let value = node(value, events);
                        assert!(
                            members.insert(key.clone(), value).is_none(),
                            "{key} is there twice"
                        );
                    }
                }
            }
            (tag, Value::Object(members))
        }
        other => panic!("{other:?} is not YAML that CloudFormation reads"),
    };
    match tag.as_deref().map(Tag::suffix) {
        Some(name) => long_form(name, value),
        None => value,
    }
}

fn long_form(name: &str, value: Value) -> Value {
    let (key, value) = match (name, value) {
        ("Ref" | "Condition", value) => (name.to_owned(), value),
        ("GetAtt", Value::String(text)) => {
            let parts = text.splitn(2, '.').map(Value::from);
            ("Fn::GetAtt".to_owned(), parts.collect())
        }
        (name, value) => (format!("Fn::{name}"), value),
    };
    Value::Object(Map::from_iter([(key, value)]))
}

/// The template of the project.
pub(crate) struct Template(pub(crate) Value);

impl Template {
    /// Reads it.
    pub(crate) fn read() -> Self {
        Self(parse(&file("template.yaml")))
    }

    /// Every resource of a type, by its logical name.
    pub(crate) fn of_type<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let resources = self.0["Resources"].as_object().unwrap();
        resources
            .iter()
            .filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The type of a resource; nothing where there is no such resource.
    pub(crate) fn kind(&self, name: &str) -> Option<&str> {
        self.0["Resources"][name]["Type"].as_str()
    }

    /// The properties of a resource.
    pub(crate) fn properties(&self, name: &str) -> &Value {
        &self.0["Resources"][name]["Properties"]
    }

    /// The default of a parameter.
    pub(crate) fn default(&self, parameter: &str) -> &str {
        self.0["Parameters"][parameter]["Default"]
            .as_str()
            .unwrap_or_else(|| panic!("no parameter {parameter} with a default"))
    }
}

/// A value as one text in which references are written `${Name}` or `${Name.Attribute}`, so that those of properties
/// and those inside of a Sub compare.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let (function, argument) = members.iter().next().unwrap();
            match (function.as_str(), argument) {
                ("Ref", Value::String(name)) => format!("${{{name}}}"),
                ("Fn::GetAtt", Value::Array(parts)) => {
                    format!("${{{}.{}}}", canonical(&parts[0]), canonical(&parts[1]))
                }
                ("Fn::Sub", Value::String(text)) => text.clone(),
                ("Fn::Sub", Value::Array(parts)) => canonical(&parts[0]),
                _ => value.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// What an `!If` gives in either case, all the way down; other values as they are.
pub(crate) fn either(value: &Value) -> Vec<&Value> {
    match value.get("Fn::If").and_then(Value::as_array) {
        Some(parts) => parts.iter().skip(1).flat_map(either).collect(),
        None if value["Ref"] == "AWS::NoValue" => Vec::new(),
        None => vec![value],
    }
}
