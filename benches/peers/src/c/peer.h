/* What a C library looks like to src/engine/c.rs: one key object, one frame a call, in place. */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>

/* A frame's parts: nonce of 12 octets, additional data, text that is worked on in place, tag of 16. */
struct peer_frame {
    const uint8_t *nonce;
    const uint8_t *aad;
    size_t aad_len;
    uint8_t *text;
    size_t text_len;
    uint8_t *tag;
};

/* A key object, or NULL; `len` is 16 or 32. What `_free` takes is what `_new` gave. */
void *peer_openssl_new(const uint8_t *key, size_t len);
void peer_openssl_free(void *key);
/* 1 where it went well; `open` wipes the text where it did not. */
int peer_openssl_seal(void *key, const struct peer_frame *frame);
int peer_openssl_open(void *key, const struct peer_frame *frame);

void *peer_ipsec_mb_new(const uint8_t *key, size_t len);
/* As on a CPU without AVX-512. */
void *peer_ipsec_mb_new_avx2(const uint8_t *key, size_t len);
void peer_ipsec_mb_free(void *key);
int peer_ipsec_mb_seal(void *key, const struct peer_frame *frame);
int peer_ipsec_mb_open(void *key, const struct peer_frame *frame);
/* The symbol of the function that seals under this key: which of its implementations the library chose. */
const char *peer_ipsec_mb_form(void *key);

#endif
