/* Intel's ipsec-mb through its direct call, the fastest way into it for one frame at a time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

struct key {
    struct gcm_key_data data;
    IMB_MGR *mgr;
    aes_gcm_enc_dec_t enc, dec;
};

static void *make(const uint8_t *octets, size_t len, void (*init)(IMB_MGR *)) {
    struct key *key;
    size_t size = (sizeof *key + 63) & ~(size_t)63;
    if (!(key = aligned_alloc(64, size)))
        return NULL;
    memset(key, 0, size);
    if (!(key->mgr = alloc_mb_mgr(0))) {
        free(key);
        return NULL;
    }
    init(key->mgr);
    if (len == 32) {
        IMB_AES256_GCM_PRE(key->mgr, octets, &key->data);
        key->enc = key->mgr->gcm256_enc;
        key->dec = key->mgr->gcm256_dec;
    } else {
        IMB_AES128_GCM_PRE(key->mgr, octets, &key->data);
        key->enc = key->mgr->gcm128_enc;
        key->dec = key->mgr->gcm128_dec;
    }
    return key;
}

static void widest(IMB_MGR *mgr) { init_mb_mgr_auto(mgr, NULL); }

void *peer_ipsec_mb_new(const uint8_t *octets, size_t len) { return make(octets, len, widest); }

void *peer_ipsec_mb_new_avx2(const uint8_t *octets, size_t len) {
    return make(octets, len, init_mb_mgr_avx2);
}

void peer_ipsec_mb_free(void *object) {
    struct key *key = object;
    free_mb_mgr(key->mgr);
    free(key);
}

int peer_ipsec_mb_seal(void *object, const struct peer_frame *frame) {
    struct key *key = object;
    struct gcm_context_data context;
    key->enc(&key->data, &context, frame->text, frame->text, frame->text_len, frame->nonce,
             frame->aad, frame->aad_len, frame->tag, 16);
    return 1;
}

int peer_ipsec_mb_open(void *object, const struct peer_frame *frame) {
    struct key *key = object;
    struct gcm_context_data context;
    uint64_t found[2], wanted[2];
    key->dec(&key->data, &context, frame->text, frame->text, frame->text_len, frame->nonce,
             frame->aad, frame->aad_len, (uint8_t *)found, 16);
    memcpy(wanted, frame->tag, 16);
    if (((found[0] ^ wanted[0]) | (found[1] ^ wanted[1])) == 0)
        return 1;
    memset(frame->text, 0, frame->text_len);
    return 0;
}

const char *peer_ipsec_mb_form(void *object) {
    Dl_info info;
    if (dladdr((void *)((struct key *)object)->enc, &info) && info.dli_sname)
        return info.dli_sname;
    return "of unknown name";
}
