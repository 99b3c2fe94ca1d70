/*
 * GSSAPI loaded when it is first used: a program that is linked with this instead of libgssapi_krb5 starts
 * where no Kerberos is installed, too. scripts/common.sh (gssapi_at_run_time) builds it as a static
 * libgssapi_krb5, which the linker finds before the system's.
 *
 * Each function looks its namesake up and calls it. Without the library a call fails with
 * GSS_S_UNAVAILABLE, and gss_display_status says what is missing. These are the functions that the crate
 * libgssapi calls; a missing one is an error of the linker.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <pthread.h>
#include <string.h>

/* The major version of its interface, which MIT Kerberos has kept since 1.2. */
#define LIBRARY "libgssapi_krb5.so.2"

static char missing[] = LIBRARY " cannot be loaded";
static char question[] = "is MIT Kerberos installed?";
static void *library;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) { library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); }

static void *find(const char *name)
{
    pthread_once(&once, load);
    return library ? dlsym(library, name) : NULL;
}

/* All of them give the minor status back by their first argument, which is 0 for "nothing more is known". */
#define FORWARD(name, parameters, arguments)                                                               \
    OM_uint32 name parameters                                                                              \
    {                                                                                                      \
        __typeof__(&name) function = (__typeof__(&name))find(#name);                                       \
        if (function)                                                                                      \
            return function arguments;                                                                     \
        *minor = 0;                                                                                        \
        return GSS_S_UNAVAILABLE;                                                                          \
    }

FORWARD(gss_accept_sec_context,
        (OM_uint32 * minor, gss_ctx_id_t *a, gss_cred_id_t b, gss_buffer_t c, gss_channel_bindings_t d,
         gss_name_t *e, gss_OID *f, gss_buffer_t g, OM_uint32 *h, OM_uint32 *i, gss_cred_id_t *j),
        (minor, a, b, c, d, e, f, g, h, i, j))
FORWARD(gss_acquire_cred,
        (OM_uint32 * minor, gss_name_t a, OM_uint32 b, gss_OID_set c, gss_cred_usage_t d, gss_cred_id_t *e,
         gss_OID_set *f, OM_uint32 *g),
        (minor, a, b, c, d, e, f, g))
FORWARD(gss_acquire_cred_with_password,
        (OM_uint32 * minor, const gss_name_t a, const gss_buffer_t b, OM_uint32 c, const gss_OID_set d,
         gss_cred_usage_t e, gss_cred_id_t *f, gss_OID_set *g, OM_uint32 *h),
        (minor, a, b, c, d, e, f, g, h))
FORWARD(gss_add_oid_set_member, (OM_uint32 * minor, gss_OID a, gss_OID_set *b), (minor, a, b))
FORWARD(gss_canonicalize_name, (OM_uint32 * minor, gss_name_t a, gss_OID b, gss_name_t *c), (minor, a, b, c))
FORWARD(gss_create_empty_oid_set, (OM_uint32 * minor, gss_OID_set *a), (minor, a))
FORWARD(gss_delete_sec_context, (OM_uint32 * minor, gss_ctx_id_t *a, gss_buffer_t b), (minor, a, b))
FORWARD(gss_display_name, (OM_uint32 * minor, gss_name_t a, gss_buffer_t b, gss_OID *c), (minor, a, b, c))
FORWARD(gss_duplicate_name, (OM_uint32 * minor, gss_name_t a, gss_name_t *b), (minor, a, b))
FORWARD(gss_export_name, (OM_uint32 * minor, gss_name_t a, gss_buffer_t b), (minor, a, b))
FORWARD(gss_import_name, (OM_uint32 * minor, gss_buffer_t a, gss_OID b, gss_name_t *c), (minor, a, b, c))
FORWARD(gss_init_sec_context,
        (OM_uint32 * minor, gss_cred_id_t a, gss_ctx_id_t *b, gss_name_t c, gss_OID d, OM_uint32 e,
         OM_uint32 f, gss_channel_bindings_t g, gss_buffer_t h, gss_OID *i, gss_buffer_t j, OM_uint32 *k,
         OM_uint32 *l),
        (minor, a, b, c, d, e, f, g, h, i, j, k, l))
FORWARD(gss_inquire_context,
        (OM_uint32 * minor, gss_ctx_id_t a, gss_name_t *b, gss_name_t *c, OM_uint32 *d, gss_OID *e,
         OM_uint32 *f, int *g, int *h),
        (minor, a, b, c, d, e, f, g, h))
FORWARD(gss_inquire_cred,
        (OM_uint32 * minor, gss_cred_id_t a, gss_name_t *b, OM_uint32 *c, gss_cred_usage_t *d, gss_OID_set *e),
        (minor, a, b, c, d, e))
FORWARD(gss_inquire_cred_by_oid,
        (OM_uint32 * minor, const gss_cred_id_t a, const gss_OID b, gss_buffer_set_t *c), (minor, a, b, c))
FORWARD(gss_localname, (OM_uint32 * minor, const gss_name_t a, gss_const_OID b, gss_buffer_t c),
        (minor, a, b, c))
FORWARD(gss_release_buffer_set, (OM_uint32 * minor, gss_buffer_set_t *a), (minor, a))
FORWARD(gss_release_cred, (OM_uint32 * minor, gss_cred_id_t *a), (minor, a))
FORWARD(gss_release_name, (OM_uint32 * minor, gss_name_t *a), (minor, a))
FORWARD(gss_release_oid_set, (OM_uint32 * minor, gss_OID_set *a), (minor, a))
FORWARD(gss_store_cred,
        (OM_uint32 * minor, const gss_cred_id_t a, gss_cred_usage_t b, const gss_OID c, OM_uint32 d,
         OM_uint32 e, gss_OID_set *f, gss_cred_usage_t *g),
        (minor, a, b, c, d, e, f, g))
FORWARD(gss_store_cred_into,
        (OM_uint32 * minor, gss_cred_id_t a, gss_cred_usage_t b, gss_OID c, OM_uint32 d, OM_uint32 e,
         gss_const_key_value_set_t f, gss_OID_set *g, gss_cred_usage_t *h),
        (minor, a, b, c, d, e, f, g, h))
FORWARD(gss_test_oid_set_member, (OM_uint32 * minor, gss_OID a, gss_OID_set b, int *c), (minor, a, b, c))
FORWARD(gss_unwrap, (OM_uint32 * minor, gss_ctx_id_t a, gss_buffer_t b, gss_buffer_t c, int *d, gss_qop_t *e),
        (minor, a, b, c, d, e))
FORWARD(gss_unwrap_iov,
        (OM_uint32 * minor, gss_ctx_id_t a, int *b, gss_qop_t *c, gss_iov_buffer_desc *d, int e),
        (minor, a, b, c, d, e))
FORWARD(gss_wrap,
        (OM_uint32 * minor, gss_ctx_id_t a, int b, gss_qop_t c, gss_buffer_t d, int *e, gss_buffer_t f),
        (minor, a, b, c, d, e, f))
FORWARD(gss_wrap_iov,
        (OM_uint32 * minor, gss_ctx_id_t a, int b, gss_qop_t c, int *d, gss_iov_buffer_desc *e, int f),
        (minor, a, b, c, d, e, f))
FORWARD(gss_wrap_iov_length,
        (OM_uint32 * minor, gss_ctx_id_t a, int b, gss_qop_t c, int *d, gss_iov_buffer_desc *e, int f),
        (minor, a, b, c, d, e, f))

OM_uint32 gss_release_buffer(OM_uint32 *minor, gss_buffer_t buffer)
{
    __typeof__(&gss_release_buffer) function = (__typeof__(&gss_release_buffer))find("gss_release_buffer");
    if (function)
        return function(minor, buffer);
    /* Only gss_display_status below has filled one. */
    *minor = 0;
    buffer->length = 0;
    buffer->value = NULL;
    return GSS_S_COMPLETE;
}

OM_uint32 gss_display_status(OM_uint32 *minor, OM_uint32 status, int type, gss_OID mechanism,
                             OM_uint32 *context, gss_buffer_t text)
{
    __typeof__(&gss_display_status) function = (__typeof__(&gss_display_status))find("gss_display_status");
    if (function)
        return function(minor, status, type, mechanism, context, text);
    *minor = 0;
    *context = 0;
    text->value = type == GSS_C_MECH_CODE ? question : missing;
    text->length = strlen(text->value);
    return GSS_S_COMPLETE;
}
