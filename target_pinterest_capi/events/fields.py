"""Every field of an event, one row each: its type, its normal form, its limits, its purpose.

The builder is compiled from this table, the settings check paths against it, and the field
reference is generated from it. Rows are in the order in which members are sent, so that equal
events are equal bytes.

Source of the rows: docs/pinterest-api.md, and ConversionEvents in its data; marked rows
(`advertiser_tracking_enabled`) are members that live requests were seen to accept, or newer ones.
"""

from enum import Enum
from typing import Final, NamedTuple


class FieldKind(Enum):
    """The type of a field in a request, and so how its values are coerced."""

    TEXT = "string"
    HASHED = "hashed string"
    AMOUNT = "decimal as a string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "Unix seconds"
    CHOICE = "one of a list"
    ITEMS = "items"


class Field(NamedTuple):
    """One field: `path` is Pinterest's own, `form` names its normal form (None: trimmed text)."""

    path: str
    kind: FieldKind
    about: str
    form: str | None = None
    many: bool = False
    required: bool = False
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_items: int | None = None
    choices: tuple[str, ...] = ()

    @property
    def parent(self) -> str:
        """The object the field is a member of: `user_data`, ..., or `""` for the event itself."""
        return self.path.rpartition(".")[0]

    @property
    def leaf(self) -> str:
        """The field's own name within its object."""
        return self.path.rpartition(".")[2]


def _text(path: str, about: str, max_length: int | None = None, form: str | None = None) -> Field:
    return Field(path, FieldKind.TEXT, about, form=form, max_length=max_length)


def _hashed(leaf: str, form: str, about: str) -> Field:
    return Field(f"user_data.{leaf}", FieldKind.HASHED, about, form=form, many=True)


def _integer(path: str, about: str, maximum: int | None = None) -> Field:
    return Field(path, FieldKind.INTEGER, about, minimum=0, maximum=maximum)


# docs/pinterest-api.md: The event
ACTION_SOURCES: Final = ("app_android", "app_ios", "web", "offline")

# docs/pinterest-api.md: The event. The first fifteen are of 5.23, the others of 5.28
EVENT_NAMES: Final = (
    "add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "checkout", "custom",
    "initiate_checkout", "lead", "page_visit", "search", "signup", "subscribe", "view_category",
    "view_content", "watch_video",
    "app_open", "contact", "customize_product", "find_location", "schedule", "start_trial",
    "submit_application",
)  # fmt: skip

FIELDS: Final = (
    Field(
        "event_name",
        FieldKind.TEXT,
        "What the user did; one of Pinterest's names, or the advertiser's own",
        required=True,
    ),
    Field(
        "action_source",
        FieldKind.CHOICE,
        "Where it happened",
        required=True,
        choices=ACTION_SOURCES,
    ),
    Field("event_time", FieldKind.TIME, "When it happened", required=True),
    Field(
        "event_id",
        FieldKind.TEXT,
        "Removes duplicates of one event, also between the browser tag and this API",
        required=True,
    ),
    _text("event_source_url", "The page it happened on"),
    Field("opt_out", FieldKind.BOOLEAN, "The user opted out of tracking; never given a default"),
    Field(
        "advertiser_tracking_enabled",
        FieldKind.BOOLEAN,
        "The user allowed tracking in the app (seen in live requests)",
    ),
    _text("partner_name", "Who sends on the advertiser's behalf, as ss-name"),
    _text("app_id", "The app's id in its store"),
    _text("app_name", "The app's name"),
    _text("app_version", "The app's version"),
    _text("device_brand", "Brand of the user's device"),
    _text("device_carrier", "Mobile carrier of the user's device"),
    _text("device_model", "Model of the user's device"),
    _text("device_type", "Type of the user's device"),
    _text("os_version", "Version of the device's operating system"),
    Field("wifi", FieldKind.BOOLEAN, "The device was on wifi"),
    _text("language", "The user's language, ISO 639-1", form="language"),
    _hashed("em", "email", "E-mail addresses: the strongest match key"),
    _hashed("ph", "phone", "Phone numbers with country code"),
    _hashed("ge", "gender", "Gender: f, m or n"),
    _hashed("db", "birth_date", "Date of birth"),
    _hashed("ln", "name", "Last name"),
    _hashed("fn", "name", "First name"),
    _hashed("ct", "city", "City"),
    _hashed("st", "state", "State or province; needed for limited data processing"),
    _hashed("zp", "postal_code", "Postal code"),
    _hashed(
        "country",
        "country",
        "Country; needed for limited data processing, and read for phones and postal codes",
    ),
    _hashed("external_id", "external_id", "The advertiser's own id of the user"),
    _hashed("hashed_maids", "maid", "Mobile advertising ids (GAID, IDFA)"),
    _text(
        "user_data.client_ip_address",
        "The user's IP address; identifies with client_user_agent",
        form="ip_address",
    ),
    _text(
        "user_data.client_user_agent", "The browser's user agent; identifies with client_ip_address"
    ),
    _text("user_data.click_id", "The _epik cookie or epik parameter of the ad click"),
    _text("user_data.partner_id", "A partner's id of the visitor, such as a RampID"),
    _text(
        "user_data.customer_type",
        "Whether the customer is new or returning (5.31)",
        form="customer_type",
    ),
    _text("custom_data.currency", "ISO 4217 code of the amounts", form="currency"),
    Field(
        "custom_data.value", FieldKind.AMOUNT, "Total value of the event, before tax and shipping"
    ),
    Field("custom_data.content_ids", FieldKind.TEXT, "Product ids, as in the catalogue", many=True),
    Field(
        "custom_data.contents",
        FieldKind.ITEMS,
        "The products, with id, item_price, quantity and more",
        many=True,
    ),
    Field("custom_data.num_items", FieldKind.INTEGER, "Total number of products", minimum=0),
    _text("custom_data.order_id", "The order's id"),
    _text("custom_data.search_string", "What the user searched for"),
    _text("custom_data.opt_out_type", "LDP: limited data processing"),
    _text("custom_data.content_name", "Name of the page or product"),
    _text("custom_data.content_category", "Category of the page or product"),
    _text("custom_data.content_brand", "Brand of the page or product"),
    Field("custom_data.predicted_ltv", FieldKind.AMOUNT, "Predicted lifetime value of the user"),
    _text("custom_data.np", "Named partner: only when Pinterest asked for it"),
    _text("custom_data.external_measurement_id", "Only when Pinterest asked for it"),
    Field(
        "custom_data.external_measurement_vendor_id",
        FieldKind.INTEGER,
        "Only when Pinterest asked for it",
    ),
    _text("app_info.app_id", "The app's id in its store", 200),
    _text("app_info.app_name", "The app's name", 200),
    _text("app_info.app_package_name", "The app's package name", 200),
    _text("app_info.app_store", "The store it came from", 100),
    _text("app_info.app_version", "The app's version", 100),
    Field("app_info.install_time", FieldKind.TIME, "When the app was installed", minimum=0),
    _text("app_info.user_agent", "User agent of the web view or browser", 16384),
    _integer("app_info.window_height", "Height of the window in pixels", 30720),
    _integer("app_info.window_width", "Width of the window in pixels", 30720),
    _integer("device_info.battery_level", "Battery charge in per cent", 100),
    _text("device_info.brand", "Brand of the device", 100),
    _text("device_info.carrier", "Mobile carrier", 100),
    _integer("device_info.cpu_cores", "Number of CPU cores", 1152),
    _integer("device_info.external_storage_free_space", "Free external storage in GB", 1048576),
    _integer("device_info.external_storage_size", "External storage in GB", 1048576),
    Field(
        "device_info.form_factor",
        FieldKind.CHOICE,
        "Form of the device",
        choices=(
            "desktop",
            "laptop",
            "cellphone",
            "tablet",
            "smartwatch",
            "tv",
            "vr",
            "console",
            "other",
        ),
    ),
    _text("device_info.kernel_version", "Kernel version", 100),
    Field(
        "device_info.languages",
        FieldKind.TEXT,
        "Installed languages, ISO 639-1",
        form="language",
        many=True,
        max_items=100,
    ),
    _text("device_info.locale", "Locale, BCP 47", 35),
    _text("device_info.model", "Model of the device", 100),
    Field(
        "device_info.network_type",
        FieldKind.CHOICE,
        "Network the device was on",
        choices=(
            "wifi",
            "cellular_2g",
            "cellular_3g",
            "cellular_4g",
            "cellular_5g",
            "cellular_6g",
            "ethernet",
            "unknown",
        ),
    ),
    Field(
        "device_info.os_family",
        FieldKind.CHOICE,
        "Family of the operating system",
        choices=("ios", "android", "macos", "windows", "linux", "bsd", "other"),
    ),
    _text("device_info.os_name", "Short name of the operating system", 100),
    _text("device_info.os_release_name", "Marketing name of its release", 100),
    _text("device_info.os_version", "Its full version", 100),
    _integer("device_info.screen_density", "Screen density in PPI", 100000),
    _integer("device_info.screen_height", "Screen height in pixels", 30720),
    _integer("device_info.screen_width", "Screen width in pixels", 30720),
    _integer("device_info.storage_free_space", "Free storage in GB", 1048576),
    _integer("device_info.storage_size", "Storage in GB", 1048576),
    _text("device_info.timezone", "Time zone of the device", 40),
    _text("device_info.timezone_abbr", "Abbreviation of its time zone", 5),
    _text("device_info.type", "Type of the device", 100),
)

# Members of one item of custom_data.contents, in order; paths are relative to the item.
ITEM_FIELDS: Final = (
    _text("id", "The product's id, as in the catalogue"),
    _text("item_name", "The product's name"),
    Field("item_price", FieldKind.AMOUNT, "Price of one, before any discount"),
    Field("quantity", FieldKind.INTEGER, "How many"),
    _text("item_category", "The product's category"),
    _text("item_brand", "The product's brand"),
    _text("item_brand_id", "Id of the product's brand (5.28)", 64),
)
ITEM_MEMBERS: Final = frozenset(member.leaf for member in ITEM_FIELDS)

BY_PATH: Final = {field.path: field for field in FIELDS}
OBJECTS: Final = ("user_data", "custom_data", "app_info", "device_info")
