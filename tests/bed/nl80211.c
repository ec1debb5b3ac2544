/*
 * Debian's wpa_supplicant from 2.11 on ends at once on a kernel without nl80211, the interface to Wi-Fi, even
 * if no interface is to be driven by it (CONFIG_MATCH_IFACE). A user-mode-linux guest has none. Loaded ahead
 * of its libraries, this tells it that another family of generic netlink, which every kernel has, is nl80211,
 * and that the family's only group is the two that are asked for. Nothing is ever said there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

#define ASKED "nl80211"
#define THERE "nlctrl"
#define GROUP "notify"

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

int genl_ctrl_resolve(void *socket, const char *name)
{
    int (*next)(void *, const char *) = (int (*)(void *, const char *)) dlsym(RTLD_NEXT, "genl_ctrl_resolve");
    return next(socket, same(name, ASKED) ? THERE : name);
}

int nla_put(void *message, int type, int octets, const void *data)
{
    int (*next)(void *, int, int, const void *) = (int (*)(void *, int, int, const void *)) dlsym(RTLD_NEXT, "nla_put");
    if (octets == sizeof ASKED && same(data, ASKED))
        return next(message, type, sizeof THERE, THERE);
    return next(message, type, octets, data);
}

int nla_put_string(void *message, int type, const char *text)
{
    int octets = 1;
    for (const char *end = text; *end; end++)
        octets++;
    return nla_put(message, type, octets, text);
}

int strncmp(const char *a, const char *b, size_t octets)
{
    if (octets == sizeof GROUP && same(a, GROUP) && (same(b, "scan") || same(b, "mlme")))
        return 0;
    for (; octets; octets--, a++, b++) {
        if (*a != *b)
            return (unsigned char) *a - (unsigned char) *b;
        if (!*a)
            break;
    }
    return 0;
}
