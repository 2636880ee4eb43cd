//! The descriptors of the contract, and what their options and comments say.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

use crate::{DESCRIPTORS, options};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("the build wrote a valid descriptor set"));

/// Every descriptor of the contract, with options that are extensions and with comments.
#[must_use]
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// Who may call `method`; `Unspecified` when the contract does not say.
#[must_use]
pub fn access(method: &MethodDescriptor) -> options::Access {
    let number = method.options().get_extension(&extension("guardhouse.options.v1.access")).as_enum_number();
    number.and_then(|number| options::Access::try_from(number).ok()).unwrap_or_default()
}

/// Whether `method` answers 412 where the state of things does not allow the call.
#[must_use]
pub fn answers_412(method: &MethodDescriptor) -> bool {
    is_true(&method.options(), &extension("guardhouse.options.v1.answers_412"))
}

/// The version of `service`, if it is spoken RPC style.
#[must_use]
pub fn rpc_version(service: &ServiceDescriptor) -> Option<String> {
    let options = service.options();
    let version = options.get_extension(&extension("guardhouse.options.v1.rpc_version"));
    version.as_str().filter(|version| !version.is_empty()).map(str::to_owned)
}

/// Whether a request RPC style must have the parameter `field`.
#[must_use]
pub fn is_required(field: &FieldDescriptor) -> bool {
    MARKED.required.contains(field.full_name())
}

/// Whether the text of `field` must be a uuid where it is not empty.
#[must_use]
pub fn is_uuid(field: &FieldDescriptor) -> bool {
    MARKED.uuid.contains(field.full_name())
}

/// Whether the server assigns `field`, so that what a client sends is ignored.
#[must_use]
pub fn is_read_only(field: &FieldDescriptor) -> bool {
    MARKED.read_only.contains(field.full_name())
}

/// Whether `field`, an `Any`, may hold what the contract does not know.
#[must_use]
pub fn is_opaque(field: &FieldDescriptor) -> bool {
    MARKED.opaque.contains(field.full_name())
}

/// The field of `message` that a client calls `name`: by its JSON name, its name in the `.proto` file, the
/// lowerCamelCase of the latter where the contract overrides the JSON name, or an alias.
#[must_use]
pub fn field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
        .or_else(|| message.fields().find(|field| is_camel_case_of(name, field.name())))
        .or_else(|| message.fields().find(|field| has_alias(field, name)))
}

fn has_alias(field: &FieldDescriptor, name: &str) -> bool {
    MARKED.aliases.get(field.full_name()).is_some_and(|aliases| aliases.iter().any(|alias| alias == name))
}

/// The comment that precedes the element at `path` of `file` in its `.proto` file.
pub(crate) fn comment(file: &FileDescriptor, path: &[i32]) -> Option<&'static str> {
    COMMENTS.get(file.name())?.get(path).map(String::as_str)
}

/// The definition of an option of the contract.
pub(crate) fn extension(name: &str) -> ExtensionDescriptor {
    pool().get_extension_by_name(name).expect("the contract defines the option")
}

/// Names of the fields with an option. Options are encoded messages; they are read once, not per request.
struct Marked {
    uuid: HashSet<String>,
    read_only: HashSet<String>,
    opaque: HashSet<String>,
    required: HashSet<String>,
    aliases: HashMap<String, Vec<String>>,
}

static MARKED: LazyLock<Marked> = LazyLock::new(|| Marked {
    uuid: fields_with("guardhouse.options.v1.uuid"),
    read_only: fields_with("guardhouse.options.v1.read_only"),
    opaque: fields_with("guardhouse.options.v1.opaque"),
    required: fields_with("guardhouse.options.v1.required"),
    aliases: aliases(),
});

fn fields_with(option: &str) -> HashSet<String> {
    let option = extension(option);
    all_fields()
        .filter(|field| is_true(&field.options(), &option))
        .map(|field| field.full_name().to_owned())
        .collect()
}

fn aliases() -> HashMap<String, Vec<String>> {
    let option = extension("guardhouse.options.v1.aliases");
    let aliases = |field: FieldDescriptor| {
        let options = field.options();
        let value = options.get_extension(&option);
        let names = value.as_list()?.iter().filter_map(|name| name.as_str().map(str::to_owned));
        let names: Vec<_> = names.collect();
        (!names.is_empty()).then(|| (field.full_name().to_owned(), names))
    };
    all_fields().filter_map(aliases).collect()
}

fn all_fields() -> impl Iterator<Item = FieldDescriptor> {
    pool().all_messages().flat_map(|message| message.fields().collect::<Vec<_>>())
}

fn is_true(options: &DynamicMessage, option: &ExtensionDescriptor) -> bool {
    options.get_extension(option).as_bool().unwrap_or(false)
}

/// Comments by file and by the path of the element they precede.
static COMMENTS: LazyLock<HashMap<String, HashMap<Vec<i32>, String>>> =
    LazyLock::new(|| pool().files().map(|file| (file.name().to_owned(), comments_of(&file))).collect());

fn comments_of(file: &FileDescriptor) -> HashMap<Vec<i32>, String> {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    locations
        .filter_map(|location| {
            let lines = location.leading_comments.as_deref()?.lines().map(str::trim);
            let text = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
            (!text.is_empty()).then(|| (location.path.clone(), text))
        })
        .collect()
}

/// Whether `camel` is the lowerCamelCase of `snake`, by protobuf's rule.
fn is_camel_case_of(camel: &str, snake: &str) -> bool {
    let mut capitalise = false;
    let expected = snake.chars().filter_map(|letter| match letter {
        '_' => {
            capitalise = true;
            None
        }
        letter if std::mem::take(&mut capitalise) => Some(letter.to_ascii_uppercase()),
        letter => Some(letter),
    });
    expected.eq(camel.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_read_where_no_field_has_that_name() {
        let message = |name: &str| pool().get_message_by_name(name).expect("is there");
        let rename = message("eset.connect.device_management.v1.RenameDeviceRequest");
        for name in ["displayName", "display_name", "name", "newName"] {
            assert_eq!(field(&rename, name).expect(name).name(), "display_name");
        }
        assert!(field(&rename, "title").is_none());
    }

    #[test]
    fn every_method_says_who_may_call_it() {
        for service in pool().services() {
            for method in service.methods() {
                assert_ne!(access(&method), options::Access::Unspecified, "{}", method.full_name());
            }
        }
    }

    #[test]
    fn options_of_fields_are_known() {
        let device =
            pool().get_message_by_name("eset.connect.device_management.v1.Device").expect("a message");
        let read_only = |name| is_read_only(&device.get_field_by_name(name).expect("a field"));
        assert!(read_only("is_muted"));
        assert!(!read_only("display_name"));

        let get = pool().get_message_by_name("eset.connect.device_management.v1.GetDeviceRequest");
        let field = get.expect("a message").get_field_by_name("device_uuid").expect("a field");
        assert!(is_uuid(&field));
        assert!(!is_read_only(&field));
    }

    #[test]
    fn a_field_has_up_to_three_names() {
        let name = "eset.dotnod.os_integration.v1.KillProcessByPidRequest";
        let message = pool().get_message_by_name(name).expect("a message");
        for spelling in ["executableHashSha2_256", "executable_hash_sha2_256", "executableHashSha2256"] {
            assert_eq!(field(&message, spelling).map(|field| field.number()), Some(3), "{spelling}");
        }
        for spelling in ["ExecutableHashSha2256", "executablehashsha2256", "", "pid_"] {
            assert_eq!(field(&message, spelling), None, "{spelling}");
        }
    }
}
