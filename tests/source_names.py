"""Names that the sources of presets have, as their documentation and the schemas of taps list them.

Facts of others' interfaces, to hold that a preset reads each or says why not.
"""

SHOPIFY_GRAPHQL = """
additionalFees app billingAddress billingAddressMatchesShippingAddress canMarkAsPaid
canNotifyCustomer cancelReason cancellation cancelledAt capturable cartDiscountAmountSet
channelInformation clientIp closed closedAt confirmationNumber confirmed createdAt currencyCode
currentCartDiscountAmountSet currentShippingPriceSet currentSubtotalLineItemsQuantity
currentSubtotalPriceSet currentTotalAdditionalFeesSet currentTotalDiscountsSet
currentTotalDutiesSet currentTotalPriceSet currentTotalTaxSet currentTotalWeight customAttributes
customer customerAcceptsMarketing customerJourneySummary customerLocale discountApplications
discountCode discountCodes displayFinancialStatus displayFulfillmentStatus disputes dutiesIncluded
edited email estimatedTaxes fulfillable fulfillments fulfillmentsCount fullyPaid hasTimelineComment
id legacyResourceId lineItems merchantBusinessEntity merchantOfRecordApp name netPaymentSet note
number originalTotalAdditionalFeesSet originalTotalDutiesSet originalTotalPriceSet
paymentGatewayNames phone poNumber presentmentCurrencyCode processedAt refundDiscrepancySet
refundable registeredSourceUrl requiresShipping restockable retailLocation returnStatus
shippingAddress shippingLine shopifyProtect sourceIdentifier sourceName statusPageUrl
subtotalLineItemsQuantity subtotalPriceSet tags taxExempt taxLines taxesIncluded test
totalCapturableSet totalCashRoundingAdjustment totalDiscountsSet totalOutstandingSet totalPriceSet
totalReceivedSet totalRefundedSet totalRefundedShippingSet totalShippingPriceSet totalTaxSet
totalTipReceivedSet totalWeight transactionsCount unpaid updatedAt
"""
SHOPIFY_REST = """
admin_graphql_api_id app_id billing_address browser_ip buyer_accepts_marketing cancel_reason
cancelled_at cart_token checkout_id checkout_token client_details closed_at company
confirmation_number confirmed contact_email created_at currency current_subtotal_price
current_total_discounts current_total_price current_total_tax customer customer_locale device_id
discount_applications discount_codes email estimated_taxes financial_status fulfillment_status
fulfillments gateway id landing_site landing_site_ref line_items location_id
merchant_of_record_app_id name note note_attributes number order_number order_status_url
original_total_duties_set payment_gateway_names payment_terms phone po_number presentment_currency
processed_at processing_method reference referring_site refunds shipping_address shipping_lines
source_identifier source_name source_url subtotal_price subtotal_price_set tags tax_exempt
tax_lines taxes_included test token total_discounts total_discounts_set total_line_items_price
total_outstanding total_price total_price_set total_shipping_price_set total_tax total_tax_set
total_tip_received total_weight updated_at user_id
"""
WOOCOMMERCE = """
id parent_id number order_key created_via version status currency date_created date_created_gmt
date_modified date_modified_gmt discount_total discount_tax shipping_total shipping_tax cart_tax
total total_tax prices_include_tax customer_id customer_ip_address customer_user_agent
customer_note billing shipping payment_method payment_method_title transaction_id date_paid
date_paid_gmt date_completed date_completed_gmt cart_hash meta_data line_items tax_lines
shipping_lines fee_lines coupon_lines refunds set_paid currency_symbol payment_url is_editable
needs_payment needs_processing
"""
BIGCOMMERCE = """
id customer_id date_created date_modified date_shipped status_id status subtotal_ex_tax
subtotal_inc_tax subtotal_tax base_shipping_cost shipping_cost_ex_tax shipping_cost_inc_tax
shipping_cost_tax shipping_cost_tax_class_id base_handling_cost handling_cost_ex_tax
handling_cost_inc_tax handling_cost_tax handling_cost_tax_class_id base_wrapping_cost
wrapping_cost_ex_tax wrapping_cost_inc_tax wrapping_cost_tax wrapping_cost_tax_class_id
total_ex_tax total_inc_tax total_tax items_total items_shipped payment_method payment_provider_id
payment_status refunded_amount order_is_digital store_credit_amount gift_certificate_amount
ip_address geoip_country geoip_country_iso2 currency_id currency_code currency_exchange_rate
default_currency_id default_currency_code store_default_currency_code staff_notes customer_message
discount_amount coupon_discount shipping_address_count is_deleted ebay_order_id cart_id
billing_address is_email_opt_in credit_card_type order_source channel_id external_source
external_id tax_provider_id products shipping_addresses coupons custom_status customer_locale
"""
MAGENTO = """
applied_rule_ids base_currency_code base_discount_amount base_grand_total base_shipping_amount
base_subtotal base_tax_amount base_total_due base_to_global_rate billing_address billing_address_id
coupon_code created_at customer_dob customer_email customer_firstname customer_gender
customer_group_id customer_id customer_is_guest customer_lastname customer_middlename
customer_note customer_note_notify customer_prefix customer_suffix customer_taxvat discount_amount
discount_description discount_invoiced discount_tax_compensation_amount edit_increment email_sent
entity_id extension_attributes ext_order_id global_currency_code grand_total increment_id
is_virtual items order_currency_code payment protect_code quote_id remote_ip shipping_amount
shipping_description shipping_discount_amount shipping_incl_tax shipping_invoiced shipping_refunded
shipping_tax_amount state status status_histories store_currency_code store_id store_name
store_to_base_rate subtotal subtotal_canceled subtotal_incl_tax subtotal_invoiced subtotal_refunded
tax_amount tax_invoiced tax_refunded total_canceled total_due total_invoiced total_item_count
total_paid total_qty_ordered total_refunded updated_at weight x_forwarded_for
"""
SALESFORCE = """
adjustedMerchandizeTotalTax adjustedShippingTotalTax billingAddress channelType confirmationStatus
couponItems createdBy creationDate currency customerInfo customerLocale customerName exportStatus
externalOrderStatus giftCertificateItems globalPartyId guest invoiceNo lastModified
merchandizeTotalTax notes orderNo orderPriceAdjustments orderToken orderTotal paymentInstruments
paymentStatus productItems productSubTotal productTotal remoteHost shipments shippingItems
shippingStatus shippingTotal shippingTotalTax siteId sourceCode status taxation taxTotal
"""
STRIPE = """
amount amount_captured amount_refunded application application_fee application_fee_amount
balance_transaction billing_details calculated_statement_descriptor captured created currency
customer description disputed failure_code failure_message fraud_details id invoice level3 livemode
metadata object on_behalf_of order outcome paid payment_intent payment_method
payment_method_details radar_options receipt_email receipt_number receipt_url refunded refunds
review shipping source source_transfer statement_descriptor status transfer transfer_data
transfer_group
after_expiration allow_promotion_codes amount_subtotal amount_total automatic_tax
billing_address_collection cancel_url client_reference_id consent consent_collection
currency_conversion custom_fields custom_text customer_creation customer_details customer_email
discounts expires_at invoice_creation line_items locale mode payment_link
payment_method_collection payment_method_options payment_method_types payment_status
phone_number_collection recovered_from setup_intent shipping_address_collection shipping_cost
shipping_details shipping_options submit_type subscription success_url tax_id_collection
total_details ui_mode url
"""
# Of calls: the common fields, the context and traits of Segment's specification, what its and
# RudderStack's destinations read by default, and the properties of e-commerce events.
SEGMENT = """
anonymousId userId messageId timestamp originalTimestamp receivedAt sentAt version type event name
category channel integrations projectId writeKey request_ip
context.ip context.userAgent context.locale context.timezone context.page.url context.page.search
context.page.referrer context.page.title context.page.path context.screen context.campaign
context.referrer context.location context.groupId context.library context.active context.channel
context.app.name context.app.version context.app.namespace context.app.build context.app.id
context.device.type context.device.model context.device.manufacturer context.device.advertisingId
context.device.adTrackingEnabled context.device.id context.device.token context.device.name
context.device.brand context.device.carrier
context.os.name context.os.version context.network.carrier context.network.wifi
context.network.bluetooth context.network.cellular
context.traits.email context.traits.phone context.traits.gender context.traits.birthday
context.traits.firstName context.traits.lastName context.traits.address.city
context.traits.address.state context.traits.address.postalCode context.traits.address.zip
context.traits.address.country context.traits.name context.traits.avatar
context.traits.description context.traits.title context.traits.username context.traits.website
context.traits.company context.traits.createdAt context.traits.age context.traits.language
traits.email traits.phone traits.gender traits.birthday traits.firstName traits.lastName traits.name
traits.action_source traits.actionSource properties.action_source properties.actionSource
properties.email properties.value properties.total properties.revenue properties.currency
properties.order_id properties.query properties.products properties.optOutType
properties.numOfItems properties.clickId properties.contentName properties.contentBrand
properties.partnerId properties.language properties.appName properties.appVersion
properties.deviceModel properties.deviceType properties.manufacturer properties.subtotal
properties.tax properties.shipping properties.discount properties.coupon properties.affiliation
properties.checkout_id properties.cart_id properties.payment_method properties.shipping_method
properties.step properties.id properties.list_id properties.filters properties.sorts
properties.position properties.image_url properties.variant properties.promotion_id
properties.wishlist_id properties.product_id properties.sku properties.category properties.brand
properties.referrer properties.title properties.path properties.search properties.hash
"""
RUDDERSTACK = """
id timestamp original_timestamp received_at sent_at uuid_ts loaded_at event event_text user_id
anonymous_id channel path url title search referrer initial_referrer name category
context_ip context_request_ip context_passed_ip context_user_agent context_locale context_timezone
context_page_url context_page_search context_page_referrer context_page_title context_page_path
context_page_initial_referrer context_screen_density context_screen_height context_screen_width
context_campaign_name context_campaign_source context_referrer context_library_name
context_library_version context_session_id context_session_start context_destination_id
context_destination_type context_source_id context_source_type context_app_name
context_app_namespace context_app_version context_app_build context_device_type
context_device_model context_device_manufacturer context_device_advertising_id
context_device_ad_tracking_enabled context_device_id context_device_token context_device_name
context_os_name context_os_version context_network_carrier context_network_wifi
context_network_bluetooth context_network_cellular context_traits_email context_traits_phone
context_traits_gender context_traits_birthday context_traits_first_name context_traits_last_name
context_traits_address_city context_traits_address_state context_traits_address_zip
context_traits_address_country context_traits_name context_traits_avatar
context_traits_company_name context_traits_age context_traits_created_at value total revenue
currency order_id query products opt_out_type num_of_items click_id content_name content_brand
partner_id email product_id sku brand subtotal tax shipping discount coupon affiliation
checkout_id cart_id payment_method shipping_method step list_id filters sorts position image_url
variant promotion_id wishlist_id
"""
GA4 = """
event_date event_timestamp event_previous_timestamp event_name event_params
event_bundle_sequence_id event_server_timestamp_offset event_dimensions user_id user_pseudo_id
user_first_touch_timestamp user_ltv is_active_user device.category device.mobile_brand_name
device.language device.is_limited_ad_tracking device.advertising_id device.operating_system
geo.country geo.region geo.city app_info.id traffic_source collected_traffic_source
session_traffic_source_last_click publisher stream_id platform ecommerce.purchase_revenue
ecommerce.purchase_revenue_in_usd ecommerce.refund_value ecommerce.refund_value_in_usd
ecommerce.shipping_value ecommerce.shipping_value_in_usd ecommerce.tax_value
ecommerce.tax_value_in_usd ecommerce.unique_items ecommerce.total_item_quantity
ecommerce.transaction_id items batch_event_index batch_page_id batch_ordering_id
"""

SNOWPLOW = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker
v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx
network_userid geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude
geo_region_name ip_isp ip_organization ip_domain ip_netspeed page_url page_title page_referrer
page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery page_urlfragment refr_urlscheme
refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium refr_source
refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign se_category se_action se_label
se_property se_value tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state
tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max
pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine br_lang
br_features_pdf br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset
doc_width doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency
ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp
refr_domain_userid refr_dvce_tstamp domain_sessionid derived_tstamp event_vendor event_name
event_format event_version event_fingerprint true_tstamp load_tstamp
"""
POSTHOG = """
uuid event properties person_properties person_id distinct_id team_id timestamp created_at
inserted_at elements elements_chain ip properties.$ip properties.$current_url properties.$host
properties.$pathname properties.$referrer properties.$referring_domain properties.$browser
properties.$browser_version properties.$browser_language properties.$os properties.$os_name
properties.$os_version properties.$device properties.$screen_height properties.$screen_width
properties.$viewport_height properties.$viewport_width properties.$raw_user_agent
properties.$session_id properties.$window_id properties.$device_id properties.$lib
properties.$lib_version properties.$insert_id properties.$locale properties.$timezone
properties.$app_name properties.$app_namespace properties.$app_version
properties.$device_manufacturer properties.$device_model properties.$geoip_country_code
properties.$geoip_subdivision_1_code properties.$geoip_city_name properties.$geoip_postal_code
properties.$geoip_latitude properties.$geoip_longitude properties.$geoip_time_zone
properties.$geoip_continent_name properties.$groups properties.$active_feature_flags
properties.utm_source properties.utm_campaign properties.value properties.total properties.revenue
properties.currency properties.order_id properties.query properties.products properties.subtotal
properties.tax properties.shipping properties.discount properties.coupon properties.affiliation
properties.category properties.brand person_properties.email person_properties.phone
person_properties.first_name person_properties.last_name person_properties.name
person_properties.city person_properties.state person_properties.country
person_properties.$initial_epik
"""
# Of MetaRouter's calls and of the seven events of its integration.
METAROUTER = """
anonymousId userId messageId timestamp originalTimestamp receivedAt sentAt version type event name
category channel integrations writeKey _metarouter context.ip context.userAgent context.locale
context.timezone context.page.url context.page.search context.page.referrer context.page.title
context.page.path context.screen context.campaign context.referrer context.location context.library
context.active context.groupId context.providers.pinterestCAPI.epik context.app.name
context.app.version context.app.namespace context.app.build context.device.type context.device.model
context.device.manufacturer context.device.advertisingId context.device.adTrackingEnabled
context.device.id context.device.token context.device.name context.os.name context.os.version
context.network.carrier context.network.wifi context.network.bluetooth context.network.cellular
context.traits.email context.traits.phone context.traits.gender context.traits.birthday
context.traits.firstName context.traits.lastName context.traits.address.city
context.traits.address.state context.traits.address.postalCode context.traits.address.country
context.traits.name context.traits.avatar context.traits.username context.traits.company
context.traits.createdAt context.traits.age properties.email properties.value properties.total
properties.revenue properties.currency properties.order_id properties.query properties.products
properties.product_id properties.sku properties.name properties.category properties.brand
properties.subtotal properties.tax properties.shipping properties.discount properties.coupon
properties.affiliation properties.checkout_id properties.cart_id properties.payment_method
properties.shipping_method properties.step properties.list_id properties.filters properties.sorts
properties.position properties.image_url properties.variant
"""
ADOBE_XDM = """
_id timestamp eventType identityMap.Email identityMap.Email_LC_SHA256 identityMap.Phone
identityMap.IDFA identityMap.GAID identityMap.ECID identityMap.AAID endUserIDs consents.adID
environment.type environment.operatingSystem environment.operatingSystemVersion environment.carrier
environment.ipV4 environment.ipV6 environment._dc.language environment.browserDetails.userAgent
environment.browserDetails.acceptLanguage environment.browserDetails.name
environment.browserDetails.vendor environment.browserDetails.version
environment.browserDetails.viewportHeight environment.browserDetails.viewportWidth device.type
device.manufacturer device.model device.modelNumber device.screenHeight device.screenWidth
device.screenOrientation device.colorDepth device.typeID device.typeIDService placeContext.geo
placeContext.geo.city placeContext.geo.postalCode placeContext.POIinteraction
web.webPageDetails.URL web.webPageDetails.name web.webPageDetails.pageViews
web.webPageDetails.server web.webPageDetails.siteSection web.webPageDetails.isHomePage
web.webPageDetails.isErrorPage web.webReferrer web.webInteraction marketing channel search
siteSearch commerce.purchases commerce.checkouts commerce.productListAdds commerce.productViews
commerce.productListViews commerce.saveForLaters commerce.order.purchaseID commerce.order.priceTotal
commerce.order.currencyCode commerce.order.payments commerce.order.purchaseOrderNumber
commerce.billing.address commerce.shipping commerce.cart commerce.promotionID
commerce.inStorePurchase productListItems implementationDetails producedBy receivedTimestamp
dataSource segmentMembership media advertising directMarketing
"""

SOURCES = {
    "shopify": SHOPIFY_GRAPHQL + SHOPIFY_REST,
    "woocommerce": WOOCOMMERCE,
    "bigcommerce": BIGCOMMERCE,
    "magento": MAGENTO,
    "salesforce_commerce": SALESFORCE,
    "stripe": STRIPE,
    "segment": SEGMENT,
    "rudderstack": RUDDERSTACK,
    "ga4": GA4,
    "snowplow": SNOWPLOW,
    "posthog": POSTHOG,
    "metarouter": METAROUTER,
    "adobe_xdm": ADOBE_XDM,
}
