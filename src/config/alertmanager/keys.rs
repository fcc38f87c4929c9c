//! The keys that Alertmanager knows, as of 0.28, and what becomes of the settings of its integrations.

/// The file.
pub(super) const FILE: &[&str] =
    &["global", "route", "inhibit_rules", "receivers", "templates", "mute_time_intervals", "time_intervals"];

/// `global`.
pub(super) const GLOBAL: &[&str] = &[
    "resolve_timeout",
    "http_config",
    "smtp_from",
    "smtp_hello",
    "smtp_smarthost",
    "smtp_auth_username",
    "smtp_auth_password",
    "smtp_auth_password_file",
    "smtp_auth_secret",
    "smtp_auth_secret_file",
    "smtp_auth_identity",
    "smtp_require_tls",
    "smtp_tls_config",
    "slack_api_url",
    "slack_api_url_file",
    "slack_app_token",
    "slack_app_token_file",
    "slack_app_url",
    "pagerduty_url",
    "opsgenie_api_url",
    "opsgenie_api_key",
    "opsgenie_api_key_file",
    "wechat_api_url",
    "wechat_api_secret",
    "wechat_api_secret_file",
    "wechat_api_corp_id",
    "victorops_api_url",
    "victorops_api_key",
    "victorops_api_key_file",
    "telegram_api_url",
    "telegram_bot_token",
    "telegram_bot_token_file",
    "webex_api_url",
    "rocketchat_api_url",
    "rocketchat_token",
    "rocketchat_token_file",
    "rocketchat_token_id",
    "rocketchat_token_id_file",
    "jira_api_url",
];

/// A route.
pub(super) const ROUTE: &[&str] = &[
    "receiver",
    "group_by",
    "continue",
    "matchers",
    "match",
    "match_re",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "routes",
    "mute_time_intervals",
    "active_time_intervals",
];

/// An inhibition.
pub(super) const INHIBITION: &[&str] = &[
    "name",
    "source_matchers",
    "source_match",
    "source_match_re",
    "target_matchers",
    "target_match",
    "target_match_re",
    "equal",
];

/// An entry of `time_intervals`.
pub(super) const NAMED_INTERVAL: &[&str] = &["name", "time_intervals"];

/// One of its times.
pub(super) const INTERVAL: &[&str] = &["times", "weekdays", "days_of_month", "months", "years", "location"];

/// A receiver.
pub(super) const RECEIVER: &[&str] = &[
    "name",
    "discord_configs",
    "email_configs",
    "jira_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "opsgenie_configs",
    "pagerduty_configs",
    "pushover_configs",
    "rocketchat_configs",
    "slack_configs",
    "sns_configs",
    "telegram_configs",
    "victorops_configs",
    "webex_configs",
    "webhook_configs",
    "wechat_configs",
    "mattermost_configs",
    "incidentio_configs",
];

/// A mail.
pub(super) const EMAIL: &[&str] = &[
    "to",
    "from",
    "smarthost",
    "hello",
    "auth_username",
    "auth_password",
    "auth_password_file",
    "auth_secret",
    "auth_secret_file",
    "auth_identity",
    "require_tls",
    "tls_config",
    "send_resolved",
    "headers",
    "html",
    "text",
    "threading",
];

/// A secret of an integration: our key without `_file`, and where it may stand.
pub(super) struct SecretKey {
    pub(super) ours: &'static str,
    /// Keys of the integration, of which the first that is given counts. Each may end in `_file`.
    pub(super) own: &'static [&'static str],
    /// The key of `global`.
    pub(super) global: &'static str,
}

/// A setting that is taken over.
pub(super) struct Setting {
    pub(super) ours: &'static str,
    pub(super) own: &'static str,
    /// The key of `global`; empty = none.
    pub(super) global: &'static str,
    pub(super) form: SettingForm,
    pub(super) required: bool,
}

/// What a setting is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingForm {
    /// A text.
    Text,
    /// A text that becomes one segment of an address.
    Segment,
    /// An URL, without this end.
    Url(&'static str),
    /// A duration between two others.
    Duration(&'static str, &'static str),
    /// A whole number.
    Number,
    /// Words between commas.
    Words,
}

/// What becomes of an integration.
pub(super) struct Kind {
    /// Its key in a receiver.
    pub(super) key: &'static str,
    /// Our kind.
    pub(super) ours: &'static str,
    pub(super) secrets: &'static [SecretKey],
    pub(super) settings: &'static [Setting],
    /// Whether it may have a token of `http_config`.
    pub(super) token: bool,
}

const fn secret(ours: &'static str, own: &'static [&'static str], global: &'static str) -> SecretKey {
    SecretKey { ours, own, global }
}

const fn setting(ours: &'static str, own: &'static str, global: &'static str, form: SettingForm) -> Setting {
    Setting { ours, own, global, form, required: false }
}

const fn kind(
    key: &'static str,
    ours: &'static str,
    secrets: &'static [SecretKey],
    settings: &'static [Setting],
) -> Kind {
    Kind { key, ours, secrets, settings, token: false }
}

/// The integrations that Squelch has, but mail, which has a section of its own.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        token: true,
        ..kind(
            "webhook_configs",
            "alertmanager",
            &[secret("url", &["url"], "")],
            &[setting("timeout", "timeout", "", SettingForm::Duration("1s", "2m"))],
        )
    },
    kind(
        "pagerduty_configs",
        "pagerduty",
        &[secret("routing_key", &["routing_key", "service_key"], "")],
        &[setting("url", "url", "pagerduty_url", SettingForm::Url("/v2/enqueue"))],
    ),
    kind(
        "opsgenie_configs",
        "opsgenie",
        &[secret("api_key", &["api_key"], "opsgenie_api_key")],
        &[
            setting("url", "api_url", "opsgenie_api_url", SettingForm::Url("/")),
            setting("tags", "tags", "", SettingForm::Words),
        ],
    ),
    kind("slack_configs", "slack", &[secret("url", &["api_url"], "slack_api_url")], &[]),
    kind("msteams_configs", "teams", &[secret("url", &["webhook_url"], "")], &[]),
    kind("msteamsv2_configs", "teams", &[secret("url", &["webhook_url"], "")], &[]),
    kind("discord_configs", "discord", &[secret("url", &["webhook_url"], "")], &[]),
    kind("mattermost_configs", "mattermost", &[secret("url", &["webhook_url"], "")], &[]),
    kind(
        "telegram_configs",
        "telegram",
        &[secret("token", &["bot_token"], "telegram_bot_token")],
        &[
            Setting { required: true, ..setting("chat", "chat_id", "", SettingForm::Text) },
            setting("topic", "message_thread_id", "", SettingForm::Number),
            setting("url", "api_url", "telegram_api_url", SettingForm::Url("/")),
        ],
    ),
    kind(
        "victorops_configs",
        "victorops",
        &[secret("api_key", &["api_key"], "victorops_api_key")],
        &[
            Setting { required: true, ..setting("routing_key", "routing_key", "", SettingForm::Segment) },
            setting("url", "api_url", "victorops_api_url", SettingForm::Url("/")),
        ],
    ),
    kind(
        "pushover_configs",
        "pushover",
        &[secret("user_key", &["user_key"], ""), secret("token", &["token"], "")],
        &[
            setting("retry", "retry", "", SettingForm::Duration("30s", "3h")),
            setting("expire", "expire", "", SettingForm::Duration("30s", "3h")),
        ],
    ),
];

/// What is said of integrations that Squelch has not.
pub(super) const STRANGERS: &[&str] =
    &["jira_configs", "rocketchat_configs", "sns_configs", "webex_configs", "wechat_configs", "incidentio_configs"];

/// Keys that word or draw a message.
pub(super) const WORDING: &[&str] = &[
    "title",
    "title_link",
    "text",
    "html",
    "headers",
    "subject",
    "message",
    "description",
    "details",
    "pretext",
    "fallback",
    "footer",
    "fields",
    "color",
    "icon_emoji",
    "icon_url",
    "image_url",
    "thumb_url",
    "username",
    "actions",
    "short_fields",
    "mrkdwn_in",
    "link_names",
    "callback_id",
    "images",
    "links",
    "class",
    "component",
    "group",
    "client",
    "client_url",
    "severity",
    "source",
    "note",
    "entity",
    "priority",
    "parse_mode",
    "summary",
    "content",
    "avatar_url",
    "state_message",
    "entity_display_name",
    "message_type",
    "monitoring_tool",
    "custom_fields",
    "sound",
    "url_title",
    "monospace",
    "ttl",
    "device",
    "disable_notifications",
    "update_alerts",
];
