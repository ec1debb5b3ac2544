/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Rust sees of DPDK beyond its exported functions.
 *
 * Two rules keep the bindings sound against every release from 22.11 on:
 * 1. inline functions and macros are called through dpdk_shim_*;
 * 2. no DPDK struct is laid out in Rust. Configuration and facts cross in the flat structs below, and the
 *    few mbuf fields of the frame path are reached by the offsets in enum dpdk_shim_mbuf_layout, which
 *    clang works out from the same headers and flags that the C compiler uses.
 */
#ifndef DPDK_SHIM_H
#define DPDK_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include <rte_build_config.h>
#include <rte_bus.h>
#include <rte_config.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pdump.h>
#include <rte_version.h>

/* Where the frame path's fields of struct rte_mbuf are, in octets. */
enum dpdk_shim_mbuf_layout {
	DPDK_SHIM_MBUF_BUF_ADDR = offsetof(struct rte_mbuf, buf_addr),
	DPDK_SHIM_MBUF_DATA_OFF = offsetof(struct rte_mbuf, data_off),
	DPDK_SHIM_MBUF_NB_SEGS = offsetof(struct rte_mbuf, nb_segs),
	DPDK_SHIM_MBUF_PORT = offsetof(struct rte_mbuf, port),
	DPDK_SHIM_MBUF_OL_FLAGS = offsetof(struct rte_mbuf, ol_flags),
	DPDK_SHIM_MBUF_PKT_LEN = offsetof(struct rte_mbuf, pkt_len),
	DPDK_SHIM_MBUF_DATA_LEN = offsetof(struct rte_mbuf, data_len),
	DPDK_SHIM_MBUF_VLAN_TCI = offsetof(struct rte_mbuf, vlan_tci),
	DPDK_SHIM_MBUF_BUF_LEN = offsetof(struct rte_mbuf, buf_len),
	DPDK_SHIM_MBUF_SIZE = sizeof(struct rte_mbuf),
};

/* Constants of the build, as one enum so that bindgen need not evaluate macros. */
enum dpdk_shim_constants {
	DPDK_SHIM_MAX_ETHPORTS = RTE_MAX_ETHPORTS,
	DPDK_SHIM_MAX_LCORE = RTE_MAX_LCORE,
	DPDK_SHIM_HEADROOM = RTE_PKTMBUF_HEADROOM,
	DPDK_SHIM_MEMPOOL_CACHE_MAX = RTE_MEMPOOL_CACHE_MAX_SIZE,
	DPDK_SHIM_ETH_NAME_MAX = RTE_ETH_NAME_MAX_LEN,
};

/* Receive and transmit flags that the wrapper reads. */
enum dpdk_shim_mbuf_flags {
	DPDK_SHIM_RX_VLAN_STRIPPED = RTE_MBUF_F_RX_VLAN_STRIPPED,
};

/* Facts of a port, from rte_eth_dev_info_get and its device. */
struct dpdk_shim_port_info {
	const char *driver_name;
	const char *device_name;
	const char *bus_name;
	int32_t socket_id;
	uint32_t min_rx_bufsize;
	uint32_t max_rx_pktlen;
	uint16_t min_mtu;
	uint16_t max_mtu;
	uint16_t max_rx_queues;
	uint16_t max_tx_queues;
	uint8_t lsc_interrupt;
	uint8_t removal_interrupt;
	uint8_t rx_scatter;
	uint8_t tx_multi_segs;
};

/* What rte_eth_dev_configure gets: every field not named here stays zero, so every offload is off. */
struct dpdk_shim_port_conf {
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint32_t mtu; /* 0: the driver's */
	uint8_t lsc_interrupt;
	uint8_t removal_interrupt;
	uint8_t rx_scatter;
	uint8_t tx_multi_segs;
};

struct dpdk_shim_port_stats {
	uint64_t ipackets;
	uint64_t opackets;
	uint64_t ibytes;
	uint64_t obytes;
	uint64_t imissed;
	uint64_t ierrors;
	uint64_t oerrors;
	uint64_t rx_nombuf;
};

struct dpdk_shim_link {
	uint32_t speed_mbps; /* 0 or UINT32_MAX: unknown */
	uint8_t up;
	uint8_t full_duplex;
	uint8_t autoneg;
};

/* eal */
int dpdk_shim_errno(void);
unsigned int dpdk_shim_lcore_id(void);
uint64_t dpdk_shim_tsc_cycles(void);
int dpdk_shim_lcore_has_cpu(unsigned int lcore, unsigned int cpu); /* -1: no such cpu number */
int dpdk_shim_log_open(void (*sink)(uint32_t level, const char *text, size_t len));
void dpdk_shim_log_close(void);

/* mbuf */
struct rte_mbuf *dpdk_shim_mbuf_alloc(struct rte_mempool *pool);
int dpdk_shim_mbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count);
void dpdk_shim_mbuf_free(struct rte_mbuf *mbuf);
int dpdk_shim_mbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail);
uint16_t dpdk_shim_mbuf_refcnt(const struct rte_mbuf *mbuf);

/* Read by the C compiler, to be compared with what the offsets give. */
void *dpdk_shim_mbuf_data(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_data_len(const struct rte_mbuf *mbuf);
uint32_t dpdk_shim_mbuf_pkt_len(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_nb_segs(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_headroom(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_tailroom(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_port(const struct rte_mbuf *mbuf);
uint64_t dpdk_shim_mbuf_ol_flags(const struct rte_mbuf *mbuf);
uint16_t dpdk_shim_mbuf_vlan_tci(const struct rte_mbuf *mbuf);

/* queues */
uint16_t dpdk_shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
uint16_t dpdk_shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);

/* ports; 0 or a negative errno */
int dpdk_shim_port_info(uint16_t port, struct dpdk_shim_port_info *info);
int dpdk_shim_port_configure(uint16_t port, const struct dpdk_shim_port_conf *conf);
int dpdk_shim_port_descriptors(uint16_t port, uint16_t *rx, uint16_t *tx);
int dpdk_shim_port_rx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, struct rte_mempool *pool,
			    int scatter);
int dpdk_shim_port_tx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, int multi_segs);
int dpdk_shim_port_remove(uint16_t port);
int dpdk_shim_port_stats(uint16_t port, struct dpdk_shim_port_stats *stats);
int dpdk_shim_port_link(uint16_t port, struct dpdk_shim_link *link);
int dpdk_shim_port_mac(uint16_t port, uint8_t mac[6]);
int dpdk_shim_port_flow_control_off(uint16_t port);

#endif
